# What no machine is built like.
host "r1" {}

image "guest" { kernel = "vmlinuz" }

workload "parted_core" {
  cpus { policy = "dedicated" }
  numa {
    cell {
      cpus   = 1
      memory = "1GiB"
    }
    cell {
      cpus   = 3
      memory = "1GiB"
    }
  }
  kvm {
    image = image.guest
    topology {
      cores   = 2
      threads = 2
    }
  }
}

workload "uneven_memory" {
  numa {
    cell {
      cpus   = 1
      memory = "1000500KiB"
    }
    cell {
      cpus   = 1
      memory = "524KiB"
    }
  }
  kvm { image = image.guest }
}
