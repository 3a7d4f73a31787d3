# What a volume that is there began as is asked no more: another image, another original and none change nothing. It
# grows as any other.
host "r1" {}

image "golden" { disk = "golden.raw" }

volume "system" {
  copy_of = image.golden
  size    = "1GiB"
}

volume "data" {
  copy_of = volume.other
  size    = "1GiB"
}

volume "other" { size = "1GiB" }

volume "same" { copy_of = image.golden }

workload "vm" {
  memory { size = "1GiB" }
  disk "system" { volume = volume.system }
  disk "same" { volume = volume.same }
  disk "own" { copy_of = image.golden }
  disk "data" { volume = volume.data }
  kvm {}
}
