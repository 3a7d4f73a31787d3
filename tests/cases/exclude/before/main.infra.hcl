host "r1" {}
host "small" {}

network "lan" { subnet = "10.9.0.0/24" }

workload "web" {
  host = host.r1
  interface "lan" { network = network.lan }
  container { image = "registry.example/web:1" }
}
workload "other" {
  host = host.r1
  cpus {
    count  = 2
    policy = "dedicated"
  }
  container { image = "registry.example/web:1" }
}
workload "old" {
  host = host.small
  interface "lan" { network = network.lan }
  container { image = "registry.example/old:1" }
}

output "web" { value = workload.web.address }
output "other" { value = workload.other.name }
output "both" { value = [workload.web.name, workload.other.name] }
