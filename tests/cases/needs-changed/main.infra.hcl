# Another need, another choice: the machine makes way for a container.
host "r1" {}
network "lan" { subnet = "10.20.0.0/24" }
image "linux" { kernel = "vmlinuz" }
workload "w" {
  needs { deployment_speed = "high" }
  memory { size = "1GiB" }
  interface "lan" { network = network.lan }
  kvm { image = image.linux }
  container { image = "registry.example/w:1" }
}
