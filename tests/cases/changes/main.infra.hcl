# In place, by a restart, anew, gone, and new, each with its reason.
host "r1" {}

network "lan" { subnet = "10.70.0.0/24" }
image "guest" { kernel = "vmlinuz" }

workload "in_place" {
  cpus { set = "2" }
  memory { size = "2GiB" }
  container { image = "registry.example/a:1" }
}

workload "anew" {
  container {
    image   = "registry.example/b:2"
    command = ["serve", "--fast"]
  }
}

workload "machine" {
  cpus { count = 2 }
  memory { size = "2GiB" }
  interface "lan" { network = network.lan }
  kvm { image = image.guest }
}

workload "new" {
  interface "lan" { network = network.lan }
  container { image = "registry.example/d:1" }
}
