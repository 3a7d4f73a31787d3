host "r1" {}
host "small" {}

workload "database" {
  cpus {
    count  = 4
    policy = "dedicated"
  }
  container { image = "registry.example/database:1" }
}

workload "first" {
  priority = 1
  cpus { set = "2" }
  container { image = "registry.example/first:1" }
}

workload "lone" {
  host = "small"
  container { image = "registry.example/lone:1" }
}
