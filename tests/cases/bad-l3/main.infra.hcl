# No cache is nobody's.
host "r1" {}

workload "first" {
  cpus { set = "2" }
  container { image = "registry.example/a:1" }
}

workload "never_alone" {
  cpus {
    count  = 1
    policy = "dedicated"
    l3     = "alone"
  }
  container { image = "registry.example/a:1" }
}
