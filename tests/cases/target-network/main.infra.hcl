# A network is made for who uses it: named, it stands for them too.
host "r1" {}
network "lan" { subnet = "10.8.0.0/24" }
workload "web" {
  interface "lan" { network = network.lan }
  container { image = "registry.example/a:1" }
}
workload "else" {

  container { image = "registry.example/a:1" }
}
