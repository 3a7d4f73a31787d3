# What a machine can be built of.
host "r1" {
  libvirt { uri = "qemu:///system" }
}

network "lan" { subnet = "10.91.0.0/24" }
image "disk" { disk = "guest.raw" }

workload "vm" {
  cpus {
    count   = 2
    maximum = 4
  }
  memory {
    size    = "2GiB"
    maximum = "4GiB"
  }
  interface "lan" {
    network = network.lan
    queues  = 2
    mtu     = 1400
    link    = "down"
    bandwidth {
      inbound      = "12500kB"
      inbound_peak = "25MB"
    }
  }
  disk "data" {
    size     = "4GiB"
    cache    = "none"
    io       = "native"
    discard  = "ignore"
    serial   = "data-1"
    queues   = 2
    iothread = 1
    throttle { read_iops = 500 }
  }
  disk "old" {
    path   = "/srv/old.qcow2"
    format = "qcow2"
    bus    = "sata"
  }
  kvm {
    image         = image.disk
    boot          = ["cdrom", "disk"]
    machine       = "pc"
    title         = "A machine"
    description   = "of every kind"
    video         = "virtio"
    locked_memory = false
    shared_memory = true
    iothreads     = 1
    vsock_cid     = 7
    agent         = true
    panic         = true
    on_crash      = "preserve"
    cpu {
      mode     = "custom"
      model    = "EPYC"
      features = { svm = "disable" }
    }
    topology {
      cores   = 2
      threads = 2
    }
    tpm {}
    clock {
      offset = "localtime"
      timer "tsc" { present = true }
    }
    graphics { port = 5901 }
    watchdog { action = "poweroff" }
    filesystem "share" { source = "/srv/share" }
    host_device { usb = "1d6b:0002" }
    cdrom "setup" { image = image.disk }
    cdrom "empty" {}
  }
}

# Installed from a medium, on a disk of its own.
workload "installed" {
  memory { size = "1GiB" }
  disk "root" { size = "8GiB" }
  kvm {
    firmware = "uefi"
    boot     = ["disk", "cdrom"]
    graphics {}
    cdrom "setup" { path = "/srv/setup.iso" }
  }
}
