# What is placed stays where it is: a newcomer gets what is left, though its name comes first.
host "r1" {}

workload "aaa_new" {
  cpus {
    count  = 2
    policy = "dedicated"
  }
  container { image = "registry.example/new:1" }
}

workload "old" {
  cpus {
    count  = 2
    policy = "dedicated"
  }
  container { image = "registry.example/old:1" }
}
