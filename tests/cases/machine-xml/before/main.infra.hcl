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
      set = "off"
    }
    xml {
      at     = "devices/controller[@index='16']"
      remove = true
    }
  }
}
