# Functions of cards are made before anything runs, and what is placed gets those that will be there.
host "r1" {
  fabric "bare" {
    parents = ["ens3f0"]
    vfs     = 4
  }
  fabric "there" {
    parents = ["0000:bd:00.0"]
    vfs     = 2
  }
}

image "guest" { kernel = "vmlinuz" }

network "fast" {
  driver = "sriov"
  parent = "ens3f0"
}

workload "made" {
  memory { size = "1GiB" }
  device "nic" {
    fabric = "bare"
    count  = 2
  }
  kvm { image = image.guest }
}

workload "found" {
  memory { size = "1GiB" }
  device "nic" { fabric = "there" }
  kvm { image = image.guest }
}

workload "pooled" {
  memory { size = "1GiB" }
  interface "fast" { network = network.fast }
  kvm { image = image.guest }
}
