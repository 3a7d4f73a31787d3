host "r1" {
  libvirt { uri = "qemu:///system" }
}

workload "changed" {
  memory { size = "1GiB" }
  disk "root" { size = "1GiB" }
  kvm {
    ignition = jsonencode({ ignition = { version = "3.4.0" } })
  }
}
