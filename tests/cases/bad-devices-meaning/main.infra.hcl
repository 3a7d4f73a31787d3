# What cannot be booted, and memory that cannot be given back.
host "r1" {
  libvirt { uri = "qemu:///system" }
}

workload "absent" {
  memory { size = "1GiB" }
  disk "root" { size = "1GiB" }
  kvm { boot = ["disk.root", "interface.lan"] }
}

workload "mixed" {
  memory { size = "1GiB" }
  disk "root" { size = "1GiB" }
  kvm { boot = ["disk.root", "network"] }
}

workload "twice" {
  memory { size = "1GiB" }
  disk "root" { size = "1GiB" }
  kvm { boot = ["disk.root", "disk.root"] }
}

workload "kept" {
  memory {
    size    = "1GiB"
    maximum = "2GiB"
  }
  disk "root" { size = "1GiB" }
  kvm { balloon = false }
}

workload "kind" {
  memory { size = "1GiB" }
  disk "root" { size = "1GiB" }
  kvm { boot = ["floppy"] }
}
