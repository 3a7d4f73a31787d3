# A wait that tells nothing.
host "r1" {
  libvirt { uri = "qemu:///system" }
}

workload "nothing" {
  memory { size = "1GiB" }
  disk "root" { size = "1GiB" }
  kvm {
    ready {}
  }
}

workload "everything" {
  memory { size = "1GiB" }
  disk "root" { size = "1GiB" }
  kvm {
    ready { console = "" }
  }
}
