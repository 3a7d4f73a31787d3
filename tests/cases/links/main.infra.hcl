# Bridges and devices that the host has, or will have.
host "r1" {}

network "office" {
  forward = "bridge"
  bridge  = "br0"
}
network "fast" {
  driver = "sriov"
  parent = "eno1"
}
network "own" {
  subnet = "10.91.0.0/24"
  bridge = "br-own"
}
network "beside" {
  driver = "macvlan"
  parent = "br-own"
}
network "vlan" {
  subnet = "10.92.0.0/24"
  driver = "macvlan"
  parent = "eno1.7"
}

workload "vm" {
  memory { size = "256MiB" }
  interface "office" { network = network.office }
  interface "fast" { network = network.fast }
  interface "own" { network = network.own }
  interface "beside" { network = network.beside }
  disk "root" { path = "/srv/root.raw" }
  kvm { acceleration = "kvm" }
}

workload "web" {
  interface "vlan" { network = network.vlan }
  container { image = "registry.example/web@sha256:00000000000000000000000000000000000000000000000000000000000000aa" }
}
