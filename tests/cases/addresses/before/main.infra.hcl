host "r1" {}

network "lan" { subnet = "10.20.0.0/24" }

workload "old" {
  interface "lan" { network = network.lan }
  container { image = "registry.example/old:1" }
}
