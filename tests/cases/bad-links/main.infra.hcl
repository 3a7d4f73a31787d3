# Bridges and devices that the host does not have.
host "r1" {}

network "absent" {
  forward = "bridge"
  bridge  = "br7"
}
network "card" {
  forward = "bridge"
  bridge  = "eno1"
}
network "device" {
  subnet = "10.91.0.0/24"
  driver = "macvlan"
  parent = "eth9"
}
network "vlan" {
  driver = "macvlan"
  parent = "eno1.7"
}
network "pool" {
  driver = "sriov"
  parent = "eno2"
}
network "idle" {
  driver = "macvlan"
  parent = "nobody-asks"
}

workload "vm" {
  memory { size = "256MiB" }
  interface "absent" { network = network.absent }
  interface "card" { network = network.card }
  interface "vlan" { network = network.vlan }
  interface "pool" { network = network.pool }
  disk "root" { path = "/srv/root.raw" }
  kvm { acceleration = "kvm" }
}

workload "web" {
  interface "device" { network = network.device }
  container { image = "registry.example/web@sha256:00000000000000000000000000000000000000000000000000000000000000aa" }
}
