# CPUs the host does not have, or not for this.
host "r1" {}

workload "absent" {
  cpus { set = "6-9" }
  container { image = "registry.example/a:1" }
}

workload "reserved" {
  cpus { set = "0" }
  container { image = "registry.example/a:1" }
}

workload "first" {
  cpus { set = "1" }
  container { image = "registry.example/a:1" }
}

workload "second" {
  cpus { set = "1" }
  container { image = "registry.example/a:1" }
}

workload "half_a_core" {
  cpus {
    set     = "2"
    threads = "require"
  }
  container { image = "registry.example/a:1" }
}

workload "two_of_a_core" {
  cpus {
    set     = "3,7"
    threads = "isolate"
  }
  container { image = "registry.example/a:1" }
}

workload "other_node" {
  cpus { set = "2" }
  memory {
    size  = "1GiB"
    nodes = "4"
  }
  container { image = "registry.example/a:1" }
}
