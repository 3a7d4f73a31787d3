# A container and a machine change CPUs with each other, and a third gives up its own.
host "r1" {}

image "guest" { kernel = "vmlinuz" }

workload "a" {
  cpus { set = "2" }
  container { image = "registry.example/a:1" }
}

workload "b" {
  cpus { set = "1" }
  memory { size = "1GiB" }
  kvm { image = image.guest }
}

workload "c" {
  container { image = "registry.example/c:1" }
}
