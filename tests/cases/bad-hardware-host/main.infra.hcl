# What the host's libvirt, QEMU or board lacks is said while planning.
host "r1" {
  libvirt { uri = "qemu:///system" }
}
image "disk" { disk = "guest.raw" }

workload "board" {
  memory { size = "256MiB" }
  kvm {
    image   = image.disk
    machine = "pc-q35-99.0"
  }
}
workload "uefi" {
  memory { size = "256MiB" }
  kvm {
    image    = image.disk
    firmware = "uefi"
  }
}
workload "tpm" {
  memory { size = "256MiB" }
  kvm {
    image = image.disk
    tpm {}
  }
}
workload "screen" {
  memory { size = "256MiB" }
  kvm {
    image = image.disk
    graphics { protocol = "spice" }
  }
}
workload "card" {
  memory { size = "256MiB" }
  kvm {
    image = image.disk
    video = "qxl"
  }
}
workload "shared" {
  memory { size = "256MiB" }
  kvm {
    image = image.disk
    filesystem "share" { source = "/srv/share" }
  }
}
workload "ring" {
  memory { size = "256MiB" }
  disk "data" {
    size = "1MiB"
    io   = "io_uring"
  }
  kvm { image = image.disk }
}
workload "absent" {
  memory { size = "256MiB" }
  kvm {
    image = image.disk
    host_device { pci = "0000:99:00.0" }
  }
}
workload "given" {
  memory { size = "256MiB" }
  kvm {
    image = image.disk
    host_device { pci = "0000:3b:00.0" }
  }
}
workload "half_a_group" {
  memory { size = "256MiB" }
  kvm {
    image = image.disk
    host_device { pci = "0000:41:00.0" }
  }
}
