# L3 caches: one for all CPUs, one to itself.
host "r1" {}

workload "alone" {
  cpus {
    count  = 2
    policy = "dedicated"
    l3     = "alone"
  }
  container { image = "registry.example/a:1" }
}

workload "one_cache" {
  cpus {
    count  = 2
    policy = "dedicated"
    l3     = "require"
  }
  container { image = "registry.example/b:1" }
}
