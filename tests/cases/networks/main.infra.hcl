# One bridge for containers and machines: Docker's where a container is on it, else libvirt's own.
host "r1" {}

network "both" { subnet = "10.80.0.0/24" }
network "machines" {
  subnet  = "10.81.0.0/24"
  gateway = "10.81.0.254"
}
network "internal" {
  subnet   = "10.82.0.0/24"
  internal = true
}
network "unused" { subnet = "10.83.0.0/24" }

image "disk" { disk = "guest.raw" }

workload "router" {
  memory { size = "1GiB" }
  interface "a" { network = network.internal }
  interface "b" { network = network.machines }
  interface "c" { network = network.both }
  kvm { image = image.disk }
}

workload "web" {
  interface "lan" { network = network.both }
  container { image = "registry.example/web:1" }
}
