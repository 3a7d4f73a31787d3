# Pools that are in no place or in two, and names that none can have.
host "r1" {}

pool "nowhere" {}

pool "two" {
  path     = "/srv/two"
  existing = "default"
}

pool "slash" { existing = "a/b" }
pool "relative" { path = "srv" }
pool "group" { volume_group = "-vg" }

volume "v" {
  size = "1GiB"
  pool = "default"
}

workload "vm" {
  memory { size = "1GiB" }
  disk "v" { volume = volume.v }
  kvm {}
}
