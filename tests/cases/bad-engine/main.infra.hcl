# What the engine or the kernel of no host can do: it would leave it out without a word.
host "small" {}

workload "runtime" {
  container {
    image   = "registry.example/a:1"
    runtime = "kata"
  }
}
workload "label" {
  container {
    image   = "registry.example/a:1"
    selinux = ["type:container_t"]
  }
}
workload "swappiness" {
  container {
    image = "registry.example/a:1"
    limits { swappiness = 10 }
  }
}
workload "part" {
  disk "data" {}
  container {
    image = "registry.example/a:1"
    mount {
      disk    = "data"
      target  = "/data"
      subpath = "a"
    }
  }
}
network "lan" { subnet = "10.90.0.0/24" }
network "far" { subnet = "10.91.0.0/24" }
workload "known" {
  interface "lan" {
    network = network.lan
    mac     = "02:00:5e:00:00:01"
  }
  interface "far" { network = network.far }
  container { image = "registry.example/a:1" }
}
