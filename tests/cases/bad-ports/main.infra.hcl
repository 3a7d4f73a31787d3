# Host ports: of two workloads, of one twice, and of others on the host.
host "edge" {}

workload "a" {
  container {
    image = "registry.example/a:1"
    port {
      container = 80
      host      = 8080
    }
  }
}
workload "b" {
  container {
    image = "registry.example/a:1"
    port {
      container = 80
      host      = 8080
      address   = "127.0.0.1"
    }
    port {
      container = 53
      host      = 8080
      protocol  = "udp"
    }
  }
}
workload "c" {
  container {
    image = "registry.example/a:1"
    port {
      container = 6379
      host      = 6379
    }
    port {
      container = 81
      host      = 8181
    }
    port {
      container = 82
      host      = 8181
    }
  }
}
