# What the runtime or the device cannot do for who is in the network.
host "r1" {}

network "office" {
  subnet  = "192.0.2.0/24"
  forward = "bridge"
  bridge  = "br0"
}
network "lab" {
  subnet   = "198.51.100.0/24"
  driver   = "macvlan"
  parent   = "ens1"
  internal = true
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
network "far" {
  subnet = "10.93.0.0/24"
  driver = "ipvlan"
  parent = "ens1"
}

image "kernel" { kernel = "vmlinuz" }

workload "vm" {
  memory { size = "256MiB" }
  interface "lab" {
    network = network.lab
    mtu     = 9000
    vlan    = 7
  }
  interface "office" {
    network = network.office
    vlan    = 7
  }
  interface "one" { network = network.alone }
  interface "two" { network = network.alone }
  interface "fast" {
    network = network.fast
    model   = "e1000e"
    mtu     = 9000
    link    = "down"
    bandwidth { inbound = "100kB" }
  }
  interface "far" { network = network.far }
  kvm {
    image = image.kernel
    ready { port = 22 }
  }
}
workload "web" {
  interface "office" { network = network.office }
  interface "fast" {
    network = network.fast
    vlan    = 7
  }
  container { image = "registry.example/web@sha256:00000000000000000000000000000000000000000000000000000000000000aa" }
}
workload "cache" {
  interface "far" {
    network = network.far
    mac     = "02:00:5e:00:00:01"
  }
  interface "office" {
    network = network.office
    mac     = "02:00:5e:00:00:01"
  }
  container { image = "registry.example/web@sha256:00000000000000000000000000000000000000000000000000000000000000aa" }
}
