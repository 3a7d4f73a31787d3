# libvirt makes no logical volume larger; and a disk that moves to another pool would lose its data.
host "r1" {}

pool "group" { existing = "group" }
pool "lvm" { volume_group = "vg0" }
pool "full" { existing = "full" }

volume "there" {
  size = "2GiB"
  pool = pool.group
}

volume "own" {
  size = "2GiB"
  pool = pool.lvm
}

workload "vm" {
  memory { size = "1GiB" }
  disk "there" { volume = volume.there }
  disk "own" { volume = volume.own }
  kvm {}
}
