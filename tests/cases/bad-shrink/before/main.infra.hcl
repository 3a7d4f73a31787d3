host "r1" {}

image "guest" { kernel = "vmlinuz" }

volume "kept" { size = "10GiB" }

workload "vm" {
  memory { size = "1GiB" }
  disk "kept" { volume = volume.kept }
  disk "own" { size = "8GiB" }
  kvm { image = image.guest }
}
