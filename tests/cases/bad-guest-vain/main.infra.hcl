# What would be waited for in vain is said while planning.
host "r1" {
  libvirt { uri = "qemu:///system" }
}

workload "vain" {
  memory { size = "1GiB" }
  disk "root" { size = "1GiB" }
  kvm {
    ready {
      agent      = true
      lease      = true
      port       = 22
      cloud_init = true
    }
  }
}
