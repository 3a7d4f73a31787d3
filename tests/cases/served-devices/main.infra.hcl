# A machine's threads are on the node of the disks and cards they serve, where that can be.
host "r1" {}

image "guest" { kernel = "vmlinuz" }

network "lan" {
  driver = "macvlan"
  parent = "ens2f0"
}

workload "card" {
  cpus {
    count  = 1
    policy = "dedicated"
  }
  memory { size = "1GiB" }
  interface "lan" { network = network.lan }
  kvm { image = image.guest }
}

# One cell is on each node; the first, which has the threads' CPU, is at the disk.
workload "cells" {
  cpus {
    count  = 2
    policy = "dedicated"
  }
  memory { size = "2GiB" }
  numa { nodes = 2 }
  disk "data" { path = "/dev/fast/db" }
  kvm {
    image         = image.guest
    emulator_cpus = 1
    iothreads     = 1
  }
}

# Its disks are on both nodes: one of them is far, whatever it does.
workload "torn" {
  cpus {
    count  = 1
    policy = "dedicated"
  }
  memory { size = "1GiB" }
  disk "near" { path = "/dev/sda" }
  disk "far" { path = "/dev/disk/by-id/nvme-fast" }
  kvm { image = image.guest }
}

# Of what is made of disks on several nodes nothing is known.
workload "unknown" {
  cpus {
    count  = 1
    policy = "dedicated"
  }
  memory { size = "1GiB" }
  disk "data" { path = "/dev/md0" }
  kvm { image = image.guest }
}
