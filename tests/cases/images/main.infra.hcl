# Images by their content: the same file is uploaded once, whoever uses it.
host "r1" {}

image "kernel" {
  kernel    = "vmlinuz"
  initramfs = "initrd"
}
image "disk" { disk = "guest.qcow2" }
image "archive" { archive = "web.tar" }
image "reference" { reference = "docker.io/library/redis:7" }

workload "direct" {
  count = 2
  memory { size = "512MiB" }
  kvm { image = image.kernel }
}

workload "from_disk" {
  memory { size = "512MiB" }
  kvm { image = image.disk }
}

workload "web" {
  container { image = image.archive }
}

workload "cache" {
  container { image = image.reference }
}

workload "cache_too" {
  container { image = "docker.io/library/redis:7" }
}
