# References to the wrong kind of thing.
host "r1" {}

network "lan" { subnet = "10.1.0.0/24" }

workload "web" {
  host = network.lan
  interface "lan" { network = host.r1 }
  container { image = network.lan }
}
