# What is refused once it is known who is in a network without a subnet, and where.
host "r1" {}

network "office" {
  forward = "bridge"
  bridge  = "br0"
}
network "lab" {
  driver = "macvlan"
  parent = "ens1"
}

image "kernel" { kernel = "vmlinuz" }

# Its address is not known to whoever would wait.
workload "vm" {
  memory { size = "256MiB" }
  interface "office" { network = network.office }
  kvm {
    image = image.kernel
    ready {
      lease = true
      port  = 22
    }
  }
}

# The engine of API 1.45 makes no such network.
workload "web" {
  interface "lab" {
    network  = network.lab
    address6 = "fd00::7"
  }
  container { image = "registry.example/web@sha256:00000000000000000000000000000000000000000000000000000000000000aa" }
}
