# Another seed is written beside the machine, which starts again: nothing is made anew.
host "r1" {
  libvirt { uri = "qemu:///system" }
}
image "disk" { disk = "guest.raw" }

workload "vm" {
  memory { size = "1GiB" }
  kvm {
    image       = image.disk
    user_data   = "#cloud-config\npackages: [nginx]\n"
    vendor_data = "#cloud-config\n"
  }
  lifecycle { prevent_destroy = true }
}
