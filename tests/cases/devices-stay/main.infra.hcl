# What has its devices keeps them, whoever comes.
host "r1" {
  fabric "storage" { parents = ["ens1f0", "0000:bd:00.0"] }
}

image "guest" { kernel = "vmlinuz" }

workload "gpus" {
  cpus {
    count  = 1
    policy = "dedicated"
  }
  memory { size = "1GiB" }
  device "gpu" {
    class    = "0302"
    count    = 2
    near     = "switch"
    locality = "required"
  }
  kvm { image = image.guest }
}

workload "router" {
  cpus {
    count  = 1
    policy = "dedicated"
  }
  memory { size = "1GiB" }
  device "nic" {
    fabric   = "storage"
    count    = 2
    locality = "required"
  }
  kvm { image = image.guest }
}

workload "a_newcomer" {
  priority = 9
  cpus {
    count  = 1
    policy = "dedicated"
  }
  memory { size = "1GiB" }
  device "nic" {
    fabric   = "storage"
    count    = 2
    locality = "required"
  }
  kvm { image = image.guest }
}
