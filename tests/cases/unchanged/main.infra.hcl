# Applied once, there is nothing to do.
host "r1" {}

network "lan" { subnet = "10.70.0.0/24" }
image "guest" { kernel = "vmlinuz" }

workload "machine" {
  cpus {
    count  = 2
    policy = "dedicated"
  }
  memory { size = "1GiB" }
  interface "lan" { network = network.lan }
  disk "data" { size = "1GiB" }
  kvm { image = image.guest }
}

workload "web" {
  count = 2
  interface "lan" { network = network.lan }
  container {
    image = "registry.example/web:1"
    env   = { MACHINE = workload.machine.address }
  }
}

output "web" { value = workload.web[*].address }
