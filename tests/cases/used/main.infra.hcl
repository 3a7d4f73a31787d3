# What is taken by others is not to be had: CPU 3 of this host is another's alone.
host "edge" {
  reserve { cpus = "0" }
}

workload "two" {
  cpus {
    count  = 1
    policy = "dedicated"
  }
  container { image = "registry.example/a:1" }
}

workload "rest" {
  container { image = "registry.example/b:1" }
}
