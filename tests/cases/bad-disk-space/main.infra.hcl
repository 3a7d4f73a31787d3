# No room for what is uploaded and made.
host "r1" {}

image "guest" { kernel = "vmlinuz" }

workload "vm" {
  memory { size = "1GiB" }
  disk "data" { size = "40GiB" }
  kvm { image = image.guest }
}
