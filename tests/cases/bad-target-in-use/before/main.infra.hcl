host "r1" {}
network "lan" { subnet = "10.9.0.0/24" }
workload "web" {
  interface "lan" { network = network.lan }
  container { image = "registry.example/a:1" }
}
