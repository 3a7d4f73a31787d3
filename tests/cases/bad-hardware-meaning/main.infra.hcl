# What libvirt accepts in a machine and cannot mean.
host "r1" {
  libvirt { uri = "qemu:///system" }
}
network "lan" { subnet = "10.91.0.0/24" }

workload "vm" {
  cpus { count = 2 }
  memory { size = "1GiB" }
  interface "lan" {
    network = network.lan
    queues  = 8
  }
  disk "data" {
    size     = "1GiB"
    queues   = 4
    iothread = 3
  }
  kvm {
    acceleration = "emulated"
    hyperv       = true
    boot         = ["disk", "disk"]
    vsock_cid    = 9
    cpu { mode = "host-passthrough" }
    topology { cores = 3 }
  }
}

workload "wv" {
  memory {
    size    = "1GiB"
    maximum = "2GiB"
  }
  kvm {
    acceleration  = "emulated"
    root_size     = "1GiB"
    vsock_cid     = 9
    locked_memory = true
  }
}
