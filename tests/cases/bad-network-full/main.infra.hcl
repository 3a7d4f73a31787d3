# One more than there are addresses.
host "r1" {}

network "lan" { subnet = "10.1.0.0/29" }

workload "web" {
  count = 7
  interface "lan" { network = network.lan }
  container { image = "registry.example/a:1" }
}
