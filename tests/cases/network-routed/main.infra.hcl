# Routed for machines by libvirt, for containers by the engine.
host "r1" {}

network "lan" {
  subnet  = "10.91.0.0/24"
  forward = "route"
}
network "web" {
  subnet  = "10.92.0.0/24"
  forward = "route"
}
image "disk" { disk = "guest.raw" }

workload "vm" {
  memory { size = "256MiB" }
  interface "lan" { network = network.lan }
  kvm { image = image.disk }
}
workload "c" {
  interface "web" { network = network.web }
  container { image = "registry.example/web:1" }
}
