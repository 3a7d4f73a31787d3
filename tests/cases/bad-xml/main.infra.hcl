# What a patch of the XML cannot be.
host "r1" {
  libvirt { uri = "qemu:///system" }
}

workload "vm" {
  memory { size = "1GiB" }
  disk "root" { size = "1GiB" }
  kvm {
    xml {
      at     = "devices/tablet"
      remove = true
    }
    xml {
      at  = "uuid"
      set = "43dc0cf8-809b-4adb-9bea-a9abb5f3d90e"
    }
    xml {
      at  = "vcpu"
      set = "8"
    }
    xml {
      at  = "devices"
      add = "<input type='tablet'"
    }
    xml {
      at  = "devices/disk[1]/@x"
      set = "y"
    }
  }
}
