# Memory of a node: not there, or not enough.
host "r1" {}

workload "absent" {
  memory {
    size  = "1GiB"
    nodes = "2"
  }
  container { image = "registry.example/a:1" }
}

workload "too_much" {
  memory {
    size  = "15GiB"
    nodes = "1"
  }
  container { image = "registry.example/a:1" }
}

workload "too_much_for_both" {
  memory {
    size  = "22GiB"
    nodes = "0-1"
  }
  container { image = "registry.example/a:1" }
}
