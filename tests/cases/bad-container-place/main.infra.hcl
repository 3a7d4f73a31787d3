# What does not go together with where and how a container is placed.
host "r1" {}

workload "quota" {
  cpus { set = "1" }
  container {
    image = "registry.example/a:1"
    limits {
      cpu_quota = "10ms"
      swap      = "1GiB"
    }
  }
}

workload "reservation" {
  memory { size = "64MiB" }
  container {
    image = "registry.example/a:1"
    limits { memory_reservation = "128MiB" }
  }
}

workload "files" {
  disk "data" {
    mount     = "/data"
    read_only = true
  }
  disk "lost" {}
  container {
    image     = "registry.example/a:1"
    read_only = true
    mount { target = "/tmp" }
    mount {
      source = "/srv"
      target = "/srv"
    }
    mount {
      disk   = "other"
      target = "/other"
    }
    file "/tmp/a" { content = "a" }
    file "/srv/a" { content = "a" }
    file "/data/a" { content = "a" }
    file "/etc/a" { content = "a" }
  }
}
