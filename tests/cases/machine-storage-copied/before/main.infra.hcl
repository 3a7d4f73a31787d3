host "r1" {}

image "golden" { disk = "golden.raw" }

volume "system" { copy_of = image.golden }

volume "data" { size = "1GiB" }

workload "vm" {
  memory { size = "1GiB" }
  disk "system" { volume = volume.system }
  disk "data" { volume = volume.data }
  kvm {}
}
