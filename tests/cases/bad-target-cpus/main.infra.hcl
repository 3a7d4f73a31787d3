# Who shares CPUs and is left out cannot be asked to leave them.
host "r1" {}
workload "web" {
  container { image = "registry.example/a:1" }
}
workload "new" {
  cpus {
    count  = 2
    policy = "dedicated"
  }
  container { image = "registry.example/a:1" }
}
