# Who shares makes room for who comes to have CPUs to himself: first the sharers leave them.
host "small" {}

workload "loner" {
  cpus {
    count  = 1
    policy = "dedicated"
  }
  container { image = "registry.example/loner:1" }
}

workload "sharer" {
  container { image = "registry.example/sharer:1" }
}
