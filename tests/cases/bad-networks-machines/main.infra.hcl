# What is there for containers alone.
host "r1" {}

network "office" {
  subnet  = "192.0.2.0/24"
  driver  = "ipvlan"
  parent  = "ens1"
}
network "six" {
  subnet  = "10.92.0.0/24"
  subnet6 = "fd00:92::/64"
}
network "both" {
  subnet  = "10.93.0.0/24"
  subnet6 = "fd00:93::/64"
}
network "four" { subnet = "10.94.0.0/24" }

volume "share" {
  size    = "1GiB"
  options = { type = "tmpfs", device = "tmpfs" }
}
workload "vm" {
  memory { size = "256MiB" }
  interface "office" { network = network.office }
  interface "six" { network = network.six }
  disk "share" { volume = volume.share }
  kvm { image = image.kernel }
}
image "kernel" { kernel = "vmlinuz" }

workload "a" {
  interface "both" {
    network  = network.both
    address6 = "fd00:93::3"
  }
  interface "four" {
    network  = network.four
    address6 = "fd00:93::5"
  }
  container { image = "registry.example/web:1" }
}
workload "b" {
  interface "both" { network = network.both }
  container { image = "registry.example/web:1" }
}
workload "c" {
  interface "both" {
    network  = network.both
    address6 = "fd00:94::3"
  }
  container { image = "registry.example/web:1" }
}
workload "d" {
  interface "both" {
    network  = network.both
    address6 = "fd00:93::1"
  }
  container { image = "registry.example/web:1" }
}
