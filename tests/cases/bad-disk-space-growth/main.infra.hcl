# A disk grows by more than there is room for.
host "r1" {}

image "guest" { kernel = "vmlinuz" }

workload "vm" {
  memory { size = "1GiB" }
  disk "data" { size = "20GiB" }
  kvm { image = image.guest }
}
