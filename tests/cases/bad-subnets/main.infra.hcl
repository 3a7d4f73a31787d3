# Networks that overlap: each other, and what is there already.
host "edge" {}

network "wide" { subnet = "10.0.0.0/8" }
network "narrow" { subnet = "10.99.0.0/24" }
network "taken" { subnet = "172.18.4.0/24" }

workload "web" {
  interface "wide" { network = network.wide }
  interface "narrow" { network = network.narrow }
  interface "taken" { network = network.taken }
  container { image = "registry.example/web:1" }
}
