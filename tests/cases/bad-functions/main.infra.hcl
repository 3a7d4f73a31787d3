# Functions that nobody makes, and a ring of no size.
host "r1" {
  libvirt { uri = "qemu:///system" }
  fabric "data" {
    parents = ["ens3f0"]
    trust   = true
  }
}
network "lan" { subnet = "10.91.0.0/24" }

workload "vm" {
  cpus { count = 2 }
  memory { size = "1GiB" }
  interface "lan" {
    network    = network.lan
    queue_size = 300
  }
  kvm {
  }
}
