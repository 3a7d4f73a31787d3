# Six CPUs, six who come first and would each like one of their own, and one who says that he must have two: what is
# added for comfort is withdrawn before somebody has no place.
host "r1" {}

workload "comfortable" {
  count    = 6
  priority = 10
  needs { cpu = "high" }
  container { image = "registry.example/w:1" }
}

workload "plain" {
  cpus {
    count  = 2
    policy = "dedicated"
  }
  container { image = "registry.example/plain:1" }
}
