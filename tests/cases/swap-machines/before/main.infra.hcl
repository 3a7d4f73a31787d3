host "r1" {}

image "guest" { kernel = "vmlinuz" }

workload "a" {
  cpus { set = "1" }
  container { image = "registry.example/a:1" }
}

workload "b" {
  cpus { set = "2" }
  memory { size = "1GiB" }
  kvm { image = image.guest }
}

workload "c" {
  cpus { set = "3" }
  container { image = "registry.example/c:1" }
}
