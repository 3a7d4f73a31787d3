# libvirt 11.3 has no NVMe disks.
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
