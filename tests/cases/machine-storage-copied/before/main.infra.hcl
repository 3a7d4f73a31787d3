host "r1" {}

image "golden" { disk = "golden.raw" }

volume "system" { copy_of = image.golden }

volume "data" { size = "1GiB" }

volume "same" { copy_of = image.golden }

workload "vm" {
  memory { size = "1GiB" }
  disk "system" { volume = volume.system }
  disk "same" { volume = volume.same }
  disk "own" { copy_of = image.golden }
  disk "data" { volume = volume.data }
  kvm {}
}
