# What is chosen, and with which settings, follows from needs: a class's, and what is written beside it.
host "r1" {}

network "lan" { subnet = "10.20.0.0/24" }

image "linux" { kernel = "vmlinuz" }

# Its ports are the host's own: the host's network changes nothing for who asks it.
workload "cache" {
  class = "memcached"
  memory { size = "1GiB" }
  container {
    image = "registry.example/memcached:1"
    port {
      host      = 11211
      container = 11211
    }
  }
}

# Another port outside than inside: it stays behind the bridge.
workload "mapped" {
  class = "memcached"
  cpus { policy = "shared" }
  container {
    image = "registry.example/memcached:1"
    port {
      host      = 11212
      container = 11211
    }
  }
}

# To be kept apart somewhat: what else it might listen on stays behind the bridge.
workload "guarded" {
  class = "memcached"
  needs { security = "medium" }
  cpus { policy = "shared" }
  container {
    image = "registry.example/memcached:1"
    port {
      host      = 11213
      container = 11213
    }
  }
}

# Kept apart from strangers: a machine, though a container would be there sooner.
workload "apart" {
  needs {
    security         = "high"
    memory           = "medium"
    disk_latency     = "medium"
    deployment_speed = "low"
  }
  memory { size = "1GiB" }
  interface "lan" { network = network.lan }
  disk "data" { size = "1GiB" }
  kvm { image = image.linux }
  container { image = "registry.example/apart:1" }
}

# Nothing is needed: a container comes before a machine, as ever.
workload "plain" {
  memory { size = "256MiB" }
  interface "lan" { network = network.lan }
  kvm { image = image.linux }
  container { image = "registry.example/plain:1" }
}
