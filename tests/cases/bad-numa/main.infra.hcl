# Asks that contradict themselves.
host "r1" {}

image "guest" { kernel = "vmlinuz" }

workload "more_than_cpus" {
  cpus { count = 2 }
  memory { size = "1GiB" }
  numa { nodes = 4 }
  kvm { image = image.guest }
}

workload "more_than_pages" {
  cpus { count = 4 }
  memory {
    size      = "2GiB"
    page_size = "1GiB"
  }
  numa { nodes = 3 }
  kvm { image = image.guest }
}

workload "sums" {
  cpus { count = 4 }
  memory { size = "5GiB" }
  numa {
    cell {
      cpus   = 2
      memory = "2GiB"
    }
    cell {
      cpus   = 1
      memory = "2GiB"
    }
  }
  kvm { image = image.guest }
}

workload "pages" {
  memory { page_size = "1GiB" }
  numa {
    cell {
      cpus   = 1
      memory = "1536MiB"
    }
    cell {
      cpus      = 1
      memory    = "1025MiB"
      page_size = ["2MiB", "default"]
    }
  }
  kvm { image = image.guest }
}

workload "without" {
  memory { size = "2GiB" }
  numa {
    cell { cpus = 1 }
    cell {
      cpus   = 1
      memory = "2GiB"
    }
  }
  kvm { image = image.guest }
}

workload "twice" {
  cpus { set = "1,2" }
  memory {
    size  = "2GiB"
    nodes = "0"
  }
  numa {
    nodes = 2
    on    = "0"
    cell {
      cpus   = 1
      memory = "2GiB"
    }
  }
  kvm { image = image.guest }
}

workload "maximum" {
  cpus {
    count   = 2
    maximum = 4
  }
  memory {
    size    = "1GiB"
    maximum = "2GiB"
  }
  numa { nodes = 2 }
  kvm { image = image.guest }
}

workload "of_a_container" {
  numa {
    cell {
      cpus      = 1
      memory    = "1GiB"
      page_size = "1GiB"
    }
  }
  container { image = "registry.example/a:1" }
}

workload "wishes" {
  memory {
    size      = "1GiB"
    page_size = ["1GiB", "default", "1GiB"]
  }
  kvm { image = image.guest }
}

workload "no_wish" {
  memory {
    size      = "1GiB"
    page_size = []
  }
  kvm { image = image.guest }
}

workload "no_page" {
  memory {
    size      = "1GiB"
    page_size = ["huge", "0GiB"]
  }
  kvm { image = image.guest }
}
