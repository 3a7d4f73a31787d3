# Memory is never promised twice, and a machine takes more than its guest's.
host "small" {}

image "guest" { kernel = "vmlinuz" }

workload "a" {
  memory { size = "3GiB" }
  container { image = "registry.example/a:1" }
}

workload "b" {
  memory { size = "2GiB" }
  container { image = "registry.example/b:1" }
}

workload "machine" {
  memory { size = "4GiB" }
  kvm {
    image        = image.guest
    acceleration = "emulated"
  }
}
