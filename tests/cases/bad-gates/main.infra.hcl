# Every gate is closed: why, host by host.
host "small" {}
host "edge" {}

image "guest" { kernel = "vmlinuz" }

workload "machine" {
  memory { size = "1GiB" }
  kvm { image = image.guest }
}

workload "metal" {
  bare_metal { exec = ["/usr/bin/true"] }
}

workload "elsewhere" {
  host = host.edge
  memory { size = "1GiB" }
  kvm {
    image        = image.guest
    acceleration = "emulated"
  }
}
