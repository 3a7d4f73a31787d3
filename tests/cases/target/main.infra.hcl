# A target is planned with what it needs; the rest keeps its place, what is recorded of it and its part of the outputs.
host "r1" {}
host "small" {}

network "lan" { subnet = "10.9.0.0/24" }
network "unused" { subnet = "10.10.0.0/24" }

workload "web" {
  host       = host.r1
  depends_on = [workload.db]
  interface "lan" { network = network.lan }
  container { image = "registry.example/web:2" }
}
workload "db" {
  host = host.r1
  cpus {
    count  = 2
    policy = "dedicated"
  }
  container { image = "registry.example/db:1" }
}
workload "other" {
  host = host.r1
  cpus {
    count  = 2
    policy = "dedicated"
  }
  container { image = "registry.example/web:2" }
}
workload "later" {
  host = host.r1
  container { image = "registry.example/later:1" }
}

output "web" { value = "at ${workload.web.address}" }
output "other" { value = "not yet ${workload.other.name}" }
output "both" { value = [workload.web.name, workload.other.name, "new"] }
output "later" { value = workload.later.name }
