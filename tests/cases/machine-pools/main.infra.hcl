# Where virtual disks lie: pools that are there, directories, and volume groups of LVM.
host "r1" {}

pool "big" { existing = "big" }
pool "group" { existing = "group" }
pool "fast" { path = "/srv/fast" }
pool "lvm" { volume_group = "vg0" }

image "golden" { disk = "golden.raw" }
image "layered" { disk = "golden.raw" }

volume "files" {
  size = "10GiB"
  pool = pool.big
}

volume "block" {
  size = "1GiB"
  pool = pool.group
}

# Rounded up to an extent.
volume "system" {
  copy_of = image.golden
  pool    = pool.lvm
}

workload "vm" {
  memory { size = "1GiB" }
  disk "files" { volume = volume.files }
  disk "block" { volume = volume.block }
  disk "system" { volume = volume.system }
  disk "copy" {
    pool    = pool.lvm
    copy_of = volume.files
  }
  kvm {
    image     = image.layered
    root_pool = pool.fast
    root_size = "1GiB"
    seed      = false
  }
}
