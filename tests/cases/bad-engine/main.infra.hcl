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
