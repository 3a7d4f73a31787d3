# Machines on a bridge and on devices that the host has: its own, shared, and a VF each.
host "r1" {}

network "office" {
  subnet  = "192.0.2.0/24"
  gateway = "192.0.2.254"
  forward = "bridge"
  bridge  = "br0"
}
network "lab" {
  subnet = "198.51.100.0/24"
  driver = "macvlan"
  parent = "ens1"
  mode   = "private"
}
network "alone" {
  subnet = "10.91.0.0/24"
  driver = "macvlan"
  parent = "ens2f0v1"
  mode   = "passthru"
}
network "fast" {
  subnet = "10.92.0.0/24"
  driver = "sriov"
  parent = "ens2f0"
}

image "kernel" { kernel = "vmlinuz" }

workload "vm" {
  memory { size = "256MiB" }
  interface "office" { network = network.office }
  interface "lab" {
    network = network.lab
    queues  = 1
  }
  interface "alone" {
    network = network.alone
    vlan    = 7
  }
  interface "fast" {
    network = network.fast
    vlan    = 100
  }
  kvm {
    image = image.kernel
    seed  = true
  }
}

# The same device, for a container.
workload "web" {
  interface "lab" { network = network.lab }
  container { image = "registry.example/web@sha256:00000000000000000000000000000000000000000000000000000000000000aa" }
}
