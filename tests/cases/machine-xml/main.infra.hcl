# What nothing models is said in libvirt's own words.
host "r1" {
  libvirt { uri = "qemu:///system" }
}

workload "vm" {
  memory { size = "1GiB" }
  disk "root" { size = "1GiB" }
  kvm {
    xml {
      at  = "devices/memballoon/@autodeflate"
      set = "on"
    }
    xml { add = "<qemu:commandline><qemu:arg value='-no-hpet'/></qemu:commandline>" }
    xml {
      at     = "devices/controller[@index='16']"
      remove = true
    }
  }
}

workload "new" {
  memory { size = "1GiB" }
  disk "root" { size = "1GiB" }
  kvm {
    xml {
      at  = "features/ioapic/@driver"
      set = "kvm"
    }
    xml {
      at  = "devices"
      add = "<input type='tablet' bus='usb'/>"
    }
  }
}
