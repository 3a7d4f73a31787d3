# Of two that want the same, who has more.
host "small" {}

workload "a_minor" {
  cpus {
    count  = 1
    policy = "dedicated"
  }
  container { image = "registry.example/web:1" }
}

workload "b_major" {
  priority = 10
  cpus {
    count  = 2
    policy = "dedicated"
  }
  container { image = "registry.example/web:1" }
}
