# On another bridge and another device of the host, with another way outside, and with other names: networks are stopped
# and started or changed while they run, and machines run on.
host "r1" {}

network "office" {
  subnet  = "192.0.2.0/24"
  forward = "bridge"
  bridge  = "br1"
}
network "lab" {
  subnet = "198.51.100.0/24"
  driver = "macvlan"
  parent = "ens2"
}
network "lan" {
  subnet   = "10.91.0.0/24"
  internal = true
  dns {}
}
network "told" {
  subnet = "10.92.0.0/24"
  dns {
    host "db" { address = "10.92.0.9" }
  }
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
