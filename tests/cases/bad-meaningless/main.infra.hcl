host "r1" {}
network "n" { subnet = "10.77.0.0/24" }
workload "b" {
  cpus { 
    count = 1 
    maximum = 4 
  }
  memory { 
    size = "64MiB" 
    page_size = "2MiB" 
    maximum = "128MiB"
    mode = "preferred"
  }
  interface "a" { 
    network = network.n 
    model = "e1000" 
    queues = 4 
    mtu = 9000
    mac = "52:54:00:12:34:56"
  }
  disk "x" { 
    size = "1GiB"
    bus = "scsi"
    cache = "none"
    allocation = "full"
  }
  container { 
    image = "registry.example/x:1" 
    mount { 
      disk = "x" 
      target = "/x" 
    }
  }
}
workload "v" {
  memory { size = "64MiB" }
  interface "a" {
    network = network.n
    aliases = ["v1"]
    bandwidth { inbound = "1MB" }
  }
  disk "x" {
    size  = "1GiB"
    mount = "/x"
    throttle { iops = 100 }
  }
  kvm {}
}
workload "t" {
  interface "a" {
    network = network.n
    link    = null
    bandwidth { inbound = "1MB" }
  }
  disk "x" {
    size = "1GiB"
    throttle { iops = 100 }
  }
  container { image = "registry.example/x:1" }
}
workload "plain" {
  interface "lan" {
    network = network.n
    mac     = "52:54:00:12:34:57"
  }
  bare_metal { exec = ["/bin/true"] }
}
