# Dedicated CPUs are nobody else's, named ones are obeyed, the others share what is left.
host "r1" {}

workload "named" {
  cpus { set = "2,6" }
  container { image = "registry.example/named:1" }
}

workload "dedicated" {
  cpus {
    count  = 2
    policy = "dedicated"
  }
  container { image = "registry.example/dedicated:1" }
}

workload "shared" {
  cpus { count = 2 }
  container { image = "registry.example/shared:1" }
}

workload "anything" {
  container { image = "registry.example/anything:1" }
}
