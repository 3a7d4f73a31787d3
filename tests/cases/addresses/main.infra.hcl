# An explicit address first, then the recorded one, then the lowest free in the order of the workloads' addresses.
host "r1" {}

network "lan" { subnet = "10.20.0.0/24" }
network "back" {
  subnet   = "10.21.0.0/29"
  gateway  = "10.21.0.6"
  internal = true
}

# Was 10.20.0.2, and keeps it though `aaa` comes first now.
workload "old" {
  interface "lan" { network = network.lan }
  container { image = "registry.example/old:1" }
}

workload "aaa" {
  interface "lan" { network = network.lan }
  interface "back" { network = network.back }
  container { image = "registry.example/aaa:1" }
}

workload "fixed" {
  interface "lan" {
    network = network.lan
    address = "10.20.0.3"
  }
  container { image = "registry.example/fixed:1" }
}
