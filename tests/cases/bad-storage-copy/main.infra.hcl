# Copies that cannot be made as they are declared.
host "r1" {}

image "raw" { disk = "golden.raw" }
image "kernel" { kernel = "golden.raw" }

volume "converted" {
  copy_of = image.raw
  format  = "qcow2"
}

volume "cut" {
  copy_of = image.raw
  size    = "4KiB"
}

volume "kernel" { copy_of = image.kernel }

volume "base" { size = "2GiB" }

volume "reserved" {
  copy_of    = volume.base
  allocation = "full"
}

volume "smaller" {
  copy_of = volume.base
  size    = "1GiB"
}

workload "vm" {
  memory { size = "1GiB" }
  disk "converted" { volume = volume.converted }
  disk "cut" { volume = volume.cut }
  disk "kernel" { volume = volume.kernel }
  disk "reserved" { volume = volume.reserved }
  disk "smaller" { volume = volume.smaller }
  disk "none" { format = "raw" }
  kvm {}
}
