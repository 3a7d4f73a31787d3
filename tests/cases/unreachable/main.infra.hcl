# What is on a host that cannot be reached stays, whatever is declared of it now; what must go there waits; the rest is
# planned, and nothing new goes there.
host "r1" {}
host "small" {
  labels = { disk = "fast" }
  kernel { ksm = true }
}

network "lan" { subnet = "10.9.0.0/24" }

# Changes, on a network that is on both hosts.
workload "web" {
  host = host.r1
  interface "lan" { network = network.lan }
  container { image = "registry.example/web:2" }
}
# Would change where it is.
workload "db" {
  host_labels = { disk = "fast" }
  interface "lan" { network = network.lan }
  disk "data" {
    volume = volume.data
    mount  = "/data"
  }
  container { image = "registry.example/db:2" }
}
# Would come from there, and run twice.
workload "comes" {
  host = host.r1
  container { image = "registry.example/a:1" }
}
# Must go there, and stays for now.
workload "goes" {
  host = host.small
  container { image = "registry.example/a:1" }
}
# Waits for who is there.
workload "after" {
  host       = host.r1
  depends_on = [workload.db]
  container { image = "registry.example/a:2" }
}
workload "named" {
  host = host.small
  container { image = "registry.example/a:1" }
}
workload "labelled" {
  host_labels = { disk = "fast" }
  container { image = "registry.example/a:1" }
}
workload "stored" {
  disk "data" {
    volume = volume.new
    mount  = "/data"
  }
  container { image = "registry.example/a:1" }
}
workload "anywhere" {
  container { image = "registry.example/a:1" }
}
volume "data" {}
volume "new" { host = host.small }

output "db" { value = "db is now ${workload.db.name}" }
output "web" { value = "web is now ${workload.web.name}" }
