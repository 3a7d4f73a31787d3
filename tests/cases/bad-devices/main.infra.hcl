# What disks of servers and serial ports cannot be.
host "r1" {
  libvirt { uri = "qemu:///system" }
}

workload "vm" {
  memory { size = "1GiB" }
  disk "sized" {
    size = "1GiB"
    remote {
      protocol = "nbd"
      servers  = ["10.0.0.5"]
      name     = "export"
    }
  }
  disk "both" {
    path = "/srv/x.raw"
    remote {
      protocol = "nbd"
      servers  = ["10.0.0.5"]
      name     = "export"
    }
  }
  disk "several" {
    remote {
      protocol = "iscsi"
      servers  = ["a", "b"]
      name     = "iqn.2026-01.example:disk/1"
    }
  }
  disk "written" {
    remote {
      protocol = "http"
      servers  = ["mirror.example:http"]
      name     = ""
      user     = "me"
    }
  }
  disk "login" {
    remote {
      protocol = "nbd"
      servers  = ["10.0.0.5"]
      name     = "export"
      user     = "me"
      secret   = "b8a3cdfb-0f4a-4d9c-9a6e-1f6d4c5b7a10"
    }
  }
  kvm {
    serial { type = "file" }
    serial { path = "/x" }
    serial {}
    serial {}
  }
}
