# Disks grow in place.
host "r1" {}

image "guest" { kernel = "vmlinuz" }

volume "kept" { size = "20GiB" }

workload "vm" {
  memory { size = "1GiB" }
  disk "kept" { volume = volume.kept }
  disk "own" { size = "16GiB" }
  kvm { image = image.guest }
}
