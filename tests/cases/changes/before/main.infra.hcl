host "r1" {}

network "lan" { subnet = "10.70.0.0/24" }
image "guest" { kernel = "vmlinuz" }

workload "in_place" {
  cpus { set = "1" }
  memory { size = "1GiB" }
  container { image = "registry.example/a:1" }
}

workload "anew" {
  container { image = "registry.example/b:1" }
}

workload "machine" {
  cpus { count = 1 }
  memory { size = "1GiB" }
  interface "lan" { network = network.lan }
  kvm { image = image.guest }
}

workload "gone" {
  disk "data" { mount = "/data" }
  container { image = "registry.example/c:1" }
}
