host "r1" {}

network "lan" { subnet = "10.71.0.0/24" }
image "guest" { kernel = "vmlinuz" }

workload "web" {
  memory { size = "1GiB" }
  interface "lan" { network = network.lan }
  container { image = "registry.example/web:1" }
  kvm { image = image.guest }
}
