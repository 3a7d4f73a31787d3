# A machine does not leave its disks for a host that is emptied.
host "r1" {}
host "small" { drain = true }

image "guest" { kernel = "vmlinuz" }

workload "vm" {
  memory { size = "256MiB" }
  disk "data" { size = "1GiB" }
  kvm {
    image        = image.guest
    acceleration = "emulated"
  }
}
