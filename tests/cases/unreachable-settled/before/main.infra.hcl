host "r1" {}
host "small" {
  labels = { disk = "fast" }
  kernel { ksm = false }
}

network "lan" { subnet = "10.9.0.0/24" }

workload "web" {
  host = host.r1
  interface "lan" { network = network.lan }
  container { image = "registry.example/web:1" }
}
workload "db" {
  host_labels = { disk = "fast" }
  interface "lan" { network = network.lan }
  disk "data" {
    volume = volume.data
    mount  = "/data"
  }
  container { image = "registry.example/db:1" }
}
workload "comes" {
  host = host.small
  container { image = "registry.example/a:1" }
}
workload "goes" {
  host = host.r1
  container { image = "registry.example/a:1" }
}
workload "gone" {
  host = host.small
  container { image = "registry.example/a:1" }
}
workload "after" {
  host = host.r1
  container { image = "registry.example/a:1" }
}
volume "data" {}

output "db" { value = "db is ${workload.db.name}" }
output "web" { value = workload.web.name }
