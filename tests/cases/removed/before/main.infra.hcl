host "r1" {}

network "lan" { subnet = "10.72.0.0/24" }
volume "data" {}

workload "web" {
  interface "lan" { network = network.lan }
  disk "data" {
    volume = volume.data
    mount  = "/data"
  }
  container { image = "registry.example/web:1" }
}
