# No disk is made smaller.
host "r1" {}

image "guest" { kernel = "vmlinuz" }

volume "kept" { size = "5GiB" }

workload "vm" {
  memory { size = "1GiB" }
  disk "kept" { volume = volume.kept }
  disk "own" { size = "4GiB" }
  kvm { image = image.guest }
}
