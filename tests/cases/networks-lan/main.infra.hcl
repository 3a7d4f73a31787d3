# Networks whose addresses are others' to give: no interface in them has one of ours.
host "r1" {}
host "edge" {}

network "office" {
  forward = "bridge"
  bridge  = "br0"
}
network "lab" {
  driver = "macvlan"
  parent = "ens1"
}
network "fast" {
  driver = "sriov"
  parent = "ens2f0"
}
network "own" { subnet = "10.91.0.0/24" }
network "flat" {
  driver = "macvlan"
  parent = "ens1.7"
}

image "kernel" { kernel = "vmlinuz" }

# The first that leads outside has the default route.
workload "vm" {
  host = host.r1
  memory { size = "256MiB" }
  interface "office" { network = network.office }
  interface "lab" { network = network.lab }
  interface "fast" { network = network.fast }
  interface "own" { network = network.own }
  kvm {
    image = image.kernel
    seed  = true
    agent = true
    ready { agent = true }
  }
}

# Its own network first: what the LAN's DHCP says of ways is left aside.
workload "second" {
  host = host.r1
  memory { size = "256MiB" }
  interface "own" { network = network.own }
  interface "office" { network = network.office }
  kvm {
    image = image.kernel
    seed  = true
  }
}

workload "web" {
  host = host.edge
  interface "flat" { network = network.flat }
  container { image = "registry.example/web@sha256:00000000000000000000000000000000000000000000000000000000000000aa" }
}

output "vm" { value = workload.vm.address == null ? "not ours to give" : workload.vm.address }
output "all" { value = workload.vm.addresses }
