# Cells that were asked for, each on a node of its own: a guest sees them, a container is bound to them.
host "r1" {}

image "guest" { kernel = "vmlinuz" }

workload "even" {
  cpus { count = 3 }
  memory { size = "4GiB" }
  numa { nodes = 2 }
  kvm { image = image.guest }
}

workload "on_one" {
  cpus { count = 2 }
  memory { size = "1GiB" }
  numa { on = "1" }
  container { image = "registry.example/a:1" }
}

workload "shared" {
  cpus { count = 4 }
  memory { size = "2GiB" }
  numa { on = "0-1" }
  container { image = "registry.example/b:1" }
}

workload "uneven" {
  cpus { policy = "dedicated" }
  numa {
    cell {
      cpus      = 2
      memory    = "3GiB"
      page_size = "1GiB"
    }
    cell {
      cpus   = 1
      memory = "1GiB"
    }
  }
  kvm { image = image.guest }
}
