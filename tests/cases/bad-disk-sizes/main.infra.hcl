# Sizes whose sum is no number.
host "r1" {}

image "guest" { kernel = "vmlinuz" }

workload "vm" {
  memory { size = "1GiB" }
  disk "one" { size = "18446744073709551104B" }
  disk "two" { size = "18446744073709551104B" }
  kvm { image = image.guest }
}
