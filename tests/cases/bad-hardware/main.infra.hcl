# What libvirt accepts and cannot mean, or refuses only when the machine starts.
host "r1" {
  libvirt { uri = "qemu:///system" }
}
network "lan" { subnet = "10.91.0.0/24" }

workload "vm" {
  cpus {
    count   = 4
    maximum = 2
  }
  memory {
    size    = "2GiB"
    maximum = "1GiB"
  }
  interface "lan" {
    network = network.lan
    queues  = 8
    bandwidth {
      inbound       = "100B"
      outbound_peak = "1MB"
    }
  }
  interface "old" {
    network = network.lan
    model   = "e1000"
    queues  = 2
  }
  disk "data" {
    size     = "1GiB"
    io       = "native"
    bus      = "sata"
    queues   = 2
    iothread = 3
    throttle {
      bytes      = "1MB"
      read_bytes = "1MB"
    }
  }
  disk "more" {
    size     = "1GiB"
    iothread = 3
  }
  disk "there" {
    path = "/srv/there.img"
    size = "1GiB"
  }
  kvm {
    acceleration = "emulated"
    secure_boot  = true
    hyperv       = true
    boot         = ["disk", "disk"]
    vsock_cid    = 9
    cpu {
      mode     = "host-passthrough"
      model    = "EPYC"
      features = { svm = "please" }
    }
    topology { cores = 3 }
    tpm {
      version = "1.2"
    }
    clock {
      timer "sundial" { present = true }
    }
    host_device {}
    cdrom "both" {
      image = image.iso
      path  = "/srv/x.iso"
    }
  }
}

image "iso" { disk = "guest.raw" }

workload "wv" {
  memory { size = "1GiB" }
  kvm {
    acceleration = "emulated"
    root_size    = "1GiB"
    vsock_cid    = 9
  }
}
