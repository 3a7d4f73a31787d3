host "r1" {}

image "kernel" { kernel = "vmlinuz" }

workload "c" {
  cpus {
    count  = 2
    policy = "dedicated"
  }
  memory { size = "64MiB" }
  disk "data" { mount = "/data" }
  container {
    image   = "registry.example/c:1"
    command = ["old"]
    user    = "nobody"
    env     = { ONE = "1", TWO = "2" }
    port {
      host      = 8080
      container = 80
    }
  }
}
workload "vm" {
  memory { size = "128MiB" }
  disk "data" { size = "4GiB" }
  kvm {
    image     = image.kernel
    cmdline   = "quiet"
    user_data = "#cloud-config\n"
  }
}
