# Texts with a form of their own.
host "r1" {
  libvirt { uri = "qemu:///system" }
}

workload "vm" {
  disk "data" { serial = "no blanks" }
  disk "long" { serial = "a-serial-number-of-22c" }
  disk "seed" { serial = "cidata" }
  kvm {
    host_device { pci = "3b:00.0" }
    host_device { usb = "1D6B:0002" }
    video = "cga"
  }
}
