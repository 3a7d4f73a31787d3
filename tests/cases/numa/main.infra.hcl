# Memory of the nodes that are named, else of the node the CPUs are on.
host "r1" {}

image "guest" { kernel = "vmlinuz" }

workload "on_node_1" {
  memory {
    size  = "4GiB"
    nodes = "1"
  }
  container { image = "registry.example/a:1" }
}

workload "near_its_cpus" {
  cpus {
    count  = 2
    policy = "dedicated"
  }
  memory { size = "2GiB" }
  kvm { image = image.guest }
}

workload "across" {
  memory {
    size  = "6GiB"
    nodes = "0-1"
  }
  container { image = "registry.example/b:1" }
}
