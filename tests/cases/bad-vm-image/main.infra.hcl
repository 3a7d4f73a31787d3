# A machine's image is declared.
host "r1" {}

workload "vm" {
  memory { size = "1GiB" }
  kvm { image = "debian-13.qcow2" }
}
