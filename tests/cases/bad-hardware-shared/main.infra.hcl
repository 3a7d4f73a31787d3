# A device is one machine's, and so is an IOMMU group.
host "r1" {
  libvirt { uri = "qemu:///system" }
}

workload "one" {
  memory { size = "256MiB" }
  disk "root" { size = "1GiB" }
  kvm {
    host_device { pci = "0000:41:00.0" }
    host_device { usb = "1d6b:0002" }
  }
}
workload "two" {
  memory { size = "256MiB" }
  disk "root" { size = "1GiB" }
  kvm {
    host_device { pci = "0000:41:00.1" }
    host_device { usb = "1d6b:0002" }
  }
}
