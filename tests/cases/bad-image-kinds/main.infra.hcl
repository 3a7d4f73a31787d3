# Images of the wrong kind for who starts from them, and disks without what they need.
host "r1" {}

image "kernel" { kernel = "vmlinuz" }
image "disk" { disk = "vmlinuz" }
image "reference" { reference = "docker.io/library/redis:7" }

workload "container" {
  container { image = image.kernel }
}

workload "machine" {
  memory { size = "1GiB" }
  kvm { image = image.reference }
}

workload "no_memory" {
  kvm { image = image.kernel }
}

workload "root_of_kernel" {
  memory { size = "1GiB" }
  disk "unsized" {}
  kvm {
    image     = image.kernel
    root_size = "1GiB"
  }
}

workload "cmdline_of_disk" {
  memory { size = "1GiB" }
  kvm {
    image     = image.disk
    cmdline   = "quiet"
    root_size = "1B"
  }
}

workload "nowhere_mounted" {
  disk "data" {}
  container { image = "registry.example/a:1" }
}
