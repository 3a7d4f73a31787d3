# Storage of a workload's own, and storage that outlives it.
host "r1" {}

image "guest" { kernel = "vmlinuz" }

volume "kept" {
  size = "10GiB"
}

volume "files" {
  host = host.r1
}

workload "machine" {
  memory { size = "1GiB" }
  disk "kept" { volume = volume.kept }
  disk "own" { size = "2GiB" }
  kvm { image = image.guest }
}

workload "writer" {
  disk "files" {
    volume = volume.files
    mount  = "/srv"
  }
  disk "cache" { mount = "/var/cache" }
  container { image = "registry.example/writer:1" }
}

workload "reader" {
  disk "files" {
    volume    = volume.files
    mount     = "/srv"
    read_only = true
  }
  container { image = "registry.example/reader:1" }
}
