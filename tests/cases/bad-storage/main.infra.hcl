# Words of how a disk is made that contradict each other.
host "r1" {}

volume "base" { size = "2GiB" }

volume "tables" {
  size       = "1GiB"
  format     = "raw"
  allocation = "metadata"
}

workload "vm" {
  memory { size = "1GiB" }
  disk "tables" { volume = volume.tables }
  disk "twice" {
    volume = volume.base
    format = "raw"
  }
  disk "there" {
    path       = "/dev/sdb"
    allocation = "full"
  }
  disk "copied" {
    path    = "/dev/sdc"
    copy_of = volume.base
  }
  kvm {}
}
