# A better one, asked for, over a disk with data.
host "r1" {}
network "lan" { subnet = "10.20.0.0/24" }
image "linux" { kernel = "vmlinuz" }
workload "w" {
  needs { deployment_speed = "high" }
  memory { size = "1GiB" }
  interface "lan" { network = network.lan }
  disk "data" {
    size  = "1GiB"
    mount = "/data"
  }
  kvm { image = image.linux }
  container { image = "registry.example/w:1" }
}
