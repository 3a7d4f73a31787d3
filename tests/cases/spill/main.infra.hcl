# What does not fit on the first host goes to the next one.
host "edge" {}
host "r1" {}

workload "big" {
  memory { size = "12GiB" }
  container { image = "registry.example/big:1" }
}

workload "many_cpus" {
  cpus {
    count  = 4
    policy = "dedicated"
  }
  container { image = "registry.example/many:1" }
}

workload "modest" {
  memory { size = "1GiB" }
  container { image = "registry.example/modest:1" }
}
