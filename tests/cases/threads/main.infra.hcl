# Of three cores with two threads each (the first core is the host's own): one whole, one for a single thread.
host "r1" {}

workload "isolated" {
  cpus {
    count   = 1
    policy  = "dedicated"
    threads = "isolate"
  }
  container { image = "registry.example/isolated:1" }
}

workload "whole" {
  cpus {
    count   = 2
    policy  = "dedicated"
    threads = "require"
  }
  container { image = "registry.example/whole:1" }
}

workload "any" {
  cpus {
    count  = 1
    policy = "dedicated"
  }
  container { image = "registry.example/any:1" }
}

workload "rest" {
  container { image = "registry.example/rest:1" }
}
