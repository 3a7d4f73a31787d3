host "r1" {}

pool "group" { existing = "group" }
pool "lvm" { volume_group = "vg0" }
pool "full" { existing = "full" }

volume "there" {
  size = "1GiB"
  pool = pool.group
}

volume "own" {
  size = "1GiB"
  pool = pool.lvm
}

workload "vm" {
  memory { size = "1GiB" }
  disk "there" { volume = volume.there }
  disk "own" { volume = volume.own }
  kvm {}
}
