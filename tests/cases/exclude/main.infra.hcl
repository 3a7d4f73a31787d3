# What needs what is excluded is left out too; what is removed stays where it is excluded, with what it stands on.
host "r1" {}
host "small" {}


network "unused" { subnet = "10.10.0.0/24" }

workload "web" {
  host       = host.r1
  depends_on = [workload.db]
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

output "web" { value = workload.web.name }
output "other" { value = "not yet ${workload.other.name}" }
output "both" { value = [workload.web.name, workload.other.name, "new"] }
output "later" { value = workload.later.name }
