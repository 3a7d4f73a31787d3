# Networks that libvirt has: its own, another project's, and this one's, which is no stranger.
host "r1" {}

network "own" { subnet = "10.1.0.0/24" }
network "taken" { subnet = "192.168.122.0/24" }
network "others" { subnet = "10.2.0.0/16" }

workload "web" {
  interface "own" { network = network.own }
  interface "taken" { network = network.taken }
  interface "others" { network = network.others }
  container { image = "registry.example/web:1" }
}
