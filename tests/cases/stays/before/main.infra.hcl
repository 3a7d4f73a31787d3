host "r1" {}

workload "old" {
  cpus {
    count  = 2
    policy = "dedicated"
  }
  container { image = "registry.example/old:1" }
}
