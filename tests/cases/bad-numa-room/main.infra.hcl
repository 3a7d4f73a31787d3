# Cells that the host has no nodes for.
host "r1" {}

image "guest" { kernel = "vmlinuz" }

workload "absent" {
  memory { size = "1GiB" }
  numa { on = "0,2" }
  cpus { count = 2 }
  container { image = "registry.example/a:1" }
}

workload "too_many" {
  cpus { count = 4 }
  memory { size = "4GiB" }
  numa { nodes = 3 }
  kvm { image = image.guest }
}

workload "too_large" {
  cpus { policy = "dedicated" }
  numa {
    cell {
      cpus      = 1
      memory    = "7GiB"
      page_size = "1GiB"
    }
    cell {
      cpus   = 1
      memory = "1GiB"
    }
  }
  kvm { image = image.guest }
}

workload "too_many_cpus" {
  cpus { policy = "dedicated" }
  numa {
    cell {
      cpus   = 5
      memory = "1GiB"
    }
  }
  container { image = "registry.example/b:1" }
}
