host "r1" {}
network "lan" { subnet = "10.9.0.0/24" }
volume "data" { size = "1GiB" }
workload "a" {
  interface "lan" { network = network.lan }
  disk "data" {
    volume = volume.data
    mount  = "/data"
  }
  container { image = "registry.example/a:1" }
}
workload "web" {
  count = 2
  container { image = "registry.example/a:1" }
}
workload "vm" {
  memory { size = "64MiB" }
  interface "lan" { network = network.lan }
  kvm { image = image.vm }
}
image "vm" { kernel = "vmlinuz" }
