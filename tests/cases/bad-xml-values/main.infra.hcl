# A patch of the XML says one thing, and no secret.
host "r1" {
  libvirt { uri = "qemu:///system" }
}

variable "password" {
  default   = "hunter2"
  sensitive = true
}

workload "vm" {
  memory { size = "1GiB" }
  disk "root" { size = "1GiB" }
  kvm {
    xml { at = "devices/rng" }
    xml {
      at     = "devices/rng"
      set    = "x"
      remove = true
    }
    xml {
      at  = "devices/graphics/@passwd"
      set = var.password
    }
  }
}
