# The person's word is obeyed; what would suit clearly better is said, with the figures.
host "r1" {}
network "lan" { subnet = "10.20.0.0/24" }
image "linux" { kernel = "vmlinuz" }
workload "w" {
  runtime = "kvm"
  class   = "build-farm"
  memory { size = "1GiB" }
  interface "lan" { network = network.lan }
  disk "data" {
    size  = "1GiB"
    mount = "/data"
  }
  kvm { image = image.linux }
  container { image = "registry.example/w:1" }
}
