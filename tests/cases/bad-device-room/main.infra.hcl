# Devices that are not there, or not there to be had.
host "r1" {
  fabric "storage" { parents = ["ens1f0", "0000:bd:00.0"] }
}

image "guest" { kernel = "vmlinuz" }

workload "far" {
  cpus {
    count  = 1
    policy = "dedicated"
  }
  memory { size = "1GiB" }
  device "nic" {
    fabric   = "storage"
    count    = 3
    locality = "required"
  }
  kvm { image = image.guest }
}

workload "many" {
  memory { size = "1GiB" }
  device "nic" {
    fabric = "storage"
    count  = 5
    near   = "anywhere"
  }
  kvm { image = image.guest }
}

workload "no_fabric" {
  memory { size = "1GiB" }
  device "nic" { fabric = "storrage" }
  kvm { image = image.guest }
}

workload "the_hosts" {
  memory { size = "1GiB" }
  device "card" { id = "8086:1592" }
  device "drive" {
    class = "0108"
    count = 2
  }
  kvm { image = image.guest }
}

workload "the_strangers" {
  memory { size = "1GiB" }
  device "nic" { pci = "0000:3b:02.0" }
  kvm { image = image.guest }
}

workload "apart" {
  memory { size = "1GiB" }
  device "gpu" {
    pci      = "0000:42:00.0"
    near     = "switch"
    locality = "required"
  }
  device "nic" {
    pci      = "0000:3b:02.1"
    near     = "switch"
    locality = "required"
  }
  kvm { image = image.guest }
}
