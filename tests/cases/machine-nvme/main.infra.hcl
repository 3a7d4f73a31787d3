# Disks on NVMe, each with a serial number: its own, or its label.
host "r1" {}

workload "vm" {
  memory { size = "1GiB" }
  disk "data" {
    size = "1GiB"
    bus  = "nvme"
  }
  disk "log" {
    size   = "1GiB"
    bus    = "nvme"
    serial = "L0G"
  }
  kvm {}
}
