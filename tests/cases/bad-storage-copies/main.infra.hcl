# Originals that cannot be copied, and words of virtual disks on a container's volume.
host "r1" {}
host "small" {}

volume "there" {
  size = "1GiB"
  host = host.small
}

volume "directory" {
  size       = "1GiB"
  allocation = "full"
}

volume "copy" { copy_of = volume.directory }

workload "vm" {
  host   = host.r1
  memory { size = "1GiB" }
  disk "apart" { copy_of = volume.there }
  disk "copy" { volume = volume.copy }
  kvm {}
}

workload "cache" {
  host = host.r1
  disk "data" {
    volume = volume.directory
    mount  = "/data"
  }
  container { image = "registry.example/cache:1" }
}
