host "r1" {}

image "kernel" { kernel = "vmlinuz" }

workload "a" {
  disk "data" { mount = "/data" }
  container { image = "registry.example/both:1" }
}
workload "b" {
  container { image = "registry.example/both:1" }
}
workload "vm" {
  memory { size = "128MiB" }
  disk "data" { size = "4GiB" }
  kvm {
    image     = image.kernel
    user_data = "#cloud-config\n"
  }
}
