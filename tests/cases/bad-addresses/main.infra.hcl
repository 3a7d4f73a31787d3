# Addresses outside their network, the network's own, and what two ask for.
host "r1" {}

network "lan" { subnet = "10.1.0.0/24" }

workload "outside" {
  interface "lan" {
    network = network.lan
    address = "10.2.0.5"
  }
  container { image = "registry.example/a:1" }
}
workload "network_itself" {
  interface "lan" {
    network = network.lan
    address = "10.1.0.0"
  }
  container { image = "registry.example/a:1" }
}
workload "broadcast" {
  interface "lan" {
    network = network.lan
    address = "10.1.0.255"
  }
  container { image = "registry.example/a:1" }
}
workload "gateway" {
  interface "lan" {
    network = network.lan
    address = "10.1.0.1"
  }
  container { image = "registry.example/a:1" }
}
workload "first" {
  interface "lan" {
    network = network.lan
    address = "10.1.0.7"
  }
  container { image = "registry.example/a:1" }
}
workload "second" {
  interface "lan" {
    network = network.lan
    address = "10.1.0.7"
  }
  container { image = "registry.example/a:1" }
}
