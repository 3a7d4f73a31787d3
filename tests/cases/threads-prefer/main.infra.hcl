# Whole cores where there are: a broken one is taken last.
host "r1" {}

workload "breaks_a_core" {
  cpus { set = "1" }
  container { image = "registry.example/one:1" }
}

workload "prefers" {
  cpus {
    count   = 2
    policy  = "dedicated"
    threads = "prefer"
  }
  container { image = "registry.example/two:1" }
}

workload "takes_the_other_half" {
  cpus {
    count  = 1
    policy = "dedicated"
  }
  container { image = "registry.example/three:1" }
}
