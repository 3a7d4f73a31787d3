# What only a machine with CPUs of its own can be told, and an interface of two switches.
host "r1" {
  libvirt { uri = "qemu:///system" }
}
network "out" {
  subnet = "10.91.0.0/24"
  driver = "macvlan"
  parent = "eth0"
}
image "linux" { kernel = "vmlinuz" }

workload "vm" {
  cpus { count = 2 }
  memory { size = "1GiB" }
  interface "out" {
    network    = network.out
    vhost_user = "/run/switch.sock"
  }
  kvm {
    image          = image.linux
    dedicated_hint = true
    realtime       = 5
  }
}
