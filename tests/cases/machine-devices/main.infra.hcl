# Devices by turns, disks that servers have, further serial ports; what is there by custom is left out.
host "r1" {
  libvirt { uri = "qemu:///system" }
}

network "lan" { subnet = "10.91.0.0/24" }
image "disk" { disk = "guest.raw" }

workload "vm" {
  memory { size = "1GiB" }
  interface "lan" { network = network.lan }
  disk "data" { size = "1GiB" }
  disk "far" {
    format = "qcow2"
    remote {
      protocol = "nbd"
      servers  = ["10.0.0.5"]
      name     = "export"
    }
  }
  disk "ceph" {
    bus = "scsi"
    remote {
      protocol = "rbd"
      servers  = ["mon1.example", "[fd00::5]:3300"]
      name     = "pool/image"
      user     = "libvirt"
      secret   = "b8a3cdfb-0f4a-4d9c-9a6e-1f6d4c5b7a10"
    }
  }
  disk "web" {
    read_only = true
    remote {
      protocol = "https"
      servers  = ["mirror.example"]
      name     = "debian.iso"
    }
  }
  kvm {
    image   = image.disk
    boot    = ["cdrom.setup", "interface.lan", "disk.data", "image"]
    rng     = false
    balloon = false
    cdrom "setup" { path = "/srv/setup.iso" }
    serial {}
    serial {
      type = "unix"
      path = "/run/vm.sock"
    }
    serial {
      type = "tcp"
      port = 4555
    }
  }
}
