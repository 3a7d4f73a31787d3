# PCI devices chosen with CPUs and memory: near them, with what shares their IOMMU groups, not what others have or the host uses.
host "r1" {
  fabric "storage" { parents = ["ens1f0", "0000:bd:00.0"] }
}

image "guest" { kernel = "vmlinuz" }

workload "gpus" {
  cpus {
    count  = 1
    policy = "dedicated"
  }
  memory { size = "1GiB" }
  device "gpu" {
    class    = "0302"
    count    = 2
    near     = "switch"
    locality = "required"
  }
  kvm { image = image.guest }
}

workload "named" {
  memory { size = "1GiB" }
  device "drive" { pci = "0000:c0:00.0" }
  kvm { image = image.guest }
}

workload "router" {
  cpus {
    count  = 1
    policy = "dedicated"
  }
  memory { size = "1GiB" }
  device "nic" {
    fabric   = "storage"
    count    = 2
    locality = "required"
  }
  kvm { image = image.guest }
}

workload "spare" {
  memory { size = "1GiB" }
  device "drive" { id = "144d:a80a" }
  kvm { image = image.guest }
}

workload "alone" {
  memory { size = "1GiB" }
  kvm {
    image = image.guest
    host_device { pci = "0000:3b:02.1" }
  }
}

workload "what_is_left" {
  memory { size = "1GiB" }
  device "nic" { fabric = "storage" }
  kvm { image = image.guest }
}
