# How virtual disks are made: formats, reserved space, copies of images and of volumes.
host "r1" {}

image "golden" { disk = "golden.raw" }

volume "log" {
  size       = "10GiB"
  format     = "raw"
  allocation = "full"
}

volume "system" { copy_of = image.golden }

volume "data" {
  copy_of = volume.template
  size    = "8GiB"
}

# Nobody attaches it: it is made to be copied.
volume "template" {
  size       = "4GiB"
  allocation = "metadata"
}

workload "vm" {
  memory { size = "1GiB" }
  disk "system" { volume = volume.system }
  disk "log" { volume = volume.log }
  disk "data" { volume = volume.data }
  disk "scratch" {
    size    = "1GiB"
    format  = "raw"
    copy_of = image.golden
  }
  kvm {}
}

# Its disk is copied first: then it starts to write to it.
volume "first" { size = "1GiB" }

workload "original" {
  memory { size = "1GiB" }
  disk "own" { volume = volume.first }
  kvm {}
}

workload "copy" {
  memory { size = "1GiB" }
  disk "own" {
    format  = "raw"
    copy_of = volume.first
  }
  kvm {}
}
