# A virtual disk has one machine that writes to it; a container's volume may have many.
host "r1" {}

image "guest" { kernel = "vmlinuz" }

volume "written" { size = "1GiB" }
volume "read" { size = "1GiB" }
volume "mixed" { size = "1GiB" }
volume "twice" { size = "1GiB" }
volume "shared" {}

workload "writers" {
  count = 2
  memory { size = "64MiB" }
  disk "data" { volume = volume.written }
  kvm { image = image.guest }
}

workload "readers" {
  count = 2
  memory { size = "64MiB" }
  disk "data" {
    volume    = volume.read
    read_only = true
  }
  disk "mixed" {
    volume    = volume.mixed
    read_only = true
  }
  kvm { image = image.guest }
}

workload "writer" {
  memory { size = "64MiB" }
  disk "mixed" { volume = volume.mixed }
  disk "one" { volume = volume.twice }
  disk "two" { volume = volume.twice }
  kvm { image = image.guest }
}

workload "containers" {
  count = 2
  disk "data" {
    volume = volume.shared
    mount  = "/data"
  }
  container { image = "registry.example/a:1" }
}
