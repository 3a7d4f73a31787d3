# More CPUs than there are, on any host, under each policy.
host "r1" {}
host "small" {}

workload "too_many" {
  cpus {
    count  = 9
    policy = "dedicated"
  }
  container { image = "registry.example/a:1" }
}

workload "too_many_cores" {
  cpus {
    count   = 4
    policy  = "dedicated"
    threads = "isolate"
  }
  container { image = "registry.example/a:1" }
}

workload "odd" {
  cpus {
    count   = 3
    policy  = "dedicated"
    threads = "require"
  }
  container { image = "registry.example/a:1" }
}
