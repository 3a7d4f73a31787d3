# What a network without a subnet cannot be.
host "r1" {}

network "made" {}
network "routed" { forward = "route" }
network "null" { subnet = null }
network "office" {
  forward  = "bridge"
  bridge   = "br0"
  gateway  = "192.0.2.1"
  subnet6  = "fd00::/64"
  gateway6 = "fd00::1"
}
network "ways" {
  driver = "ipvlan"
  parent = "ens1"
  mode   = "l3"
}
network "lab" {
  driver = "macvlan"
  parent = "ens1"
}

workload "vm" {
  memory { size = "256MiB" }
  interface "lab" {
    network = network.lab
    address = "192.0.2.7"
  }
  kvm { acceleration = "kvm" }
}
