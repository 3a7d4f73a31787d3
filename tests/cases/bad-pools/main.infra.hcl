# Pools that are of no use, and disks that cannot lie in a volume group.
host "r1" {}

pool "none" { existing = "nothing" }
pool "ceph" { existing = "ceph" }
pool "off" { existing = "off" }
pool "twice" { path = "/mnt/full" }
pool "group" { volume_group = "group" }
pool "lvm" { volume_group = "vg0" }
pool "unused" { existing = "nobody asks for it" }

image "golden" { disk = "golden.raw" }

volume "formatted" {
  size   = "1GiB"
  pool   = pool.lvm
  format = "qcow2"
}

volume "sparse" {
  size       = "1GiB"
  pool       = pool.lvm
  allocation = "sparse"
}

volume "uneven" {
  size = "5MiB"
  pool = pool.lvm
}

volume "engine" { pool = pool.lvm }

workload "vm" {
  memory { size = "1GiB" }
  disk "none" {
    size = "1GiB"
    pool = pool.none
  }
  disk "ceph" {
    size = "1GiB"
    pool = pool.ceph
  }
  disk "off" {
    size = "1GiB"
    pool = pool.off
  }
  disk "twice" {
    size = "1GiB"
    pool = pool.twice
  }
  disk "group" {
    size = "1GiB"
    pool = pool.group
  }
  disk "formatted" { volume = volume.formatted }
  disk "sparse" { volume = volume.sparse }
  disk "uneven" { volume = volume.uneven }
  kvm {
    image     = image.golden
    root_pool = pool.lvm
    root_size = "1GiB"
  }
}

workload "cache" {
  disk "data" {
    volume = volume.engine
    mount  = "/data"
  }
  container { image = "registry.example/cache:1" }
}
