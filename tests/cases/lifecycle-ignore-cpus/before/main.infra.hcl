host "r1" {}

workload "own" {
  cpus {
    count  = 2
    policy = "dedicated"
  }
  container { image = "registry.example/own:1" }
}
workload "vm" {
  cpus {
    count  = 2
    policy = "dedicated"
  }
  memory { size = "128MiB" }
  kvm { image = image.kernel }
}
image "kernel" { kernel = "vmlinuz" }
