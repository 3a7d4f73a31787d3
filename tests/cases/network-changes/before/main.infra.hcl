host "r1" {}

network "office" {
  subnet  = "192.0.2.0/24"
  forward = "bridge"
  bridge  = "br0"
}
network "lab" {
  subnet = "198.51.100.0/24"
  driver = "macvlan"
  parent = "ens1"
}
network "lan" {
  subnet = "10.91.0.0/24"
}
network "told" {
  subnet = "10.92.0.0/24"
  dns {}
}

image "kernel" { kernel = "vmlinuz" }

workload "vm" {
  memory { size = "256MiB" }
  interface "office" { network = network.office }
  interface "lab" { network = network.lab }
  interface "lan" { network = network.lan }
  interface "told" { network = network.told }
  kvm { image = image.kernel }
}
