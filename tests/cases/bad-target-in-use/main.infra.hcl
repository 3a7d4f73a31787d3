# A network cannot be made anew under a workload that is left out.
host "r1" {}
network "lan" { subnet = "10.8.0.0/24" }
workload "web" {
  interface "lan" { network = network.lan }
  container { image = "registry.example/a:1" }
}
workload "new" {
  interface "lan" { network = network.lan }
  container { image = "registry.example/a:1" }
}
