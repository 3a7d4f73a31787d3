# Everything a container can be told.
host "r1" {
  docker { endpoint = "unix:///run/other.sock" }
  labels = { rack = "1" }
}

network "lan" { subnet = "10.90.0.0/24" }

workload "web" {
  cpus {
    count  = 2
    policy = "dedicated"
  }
  memory {
    size  = "1.5GiB"
    nodes = "1"
  }
  interface "lan" { network = network.lan }
  container {
    image           = "registry.example/web@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    entrypoint      = ["/bin/web"]
    command         = ["--port", "80"]
    env             = { A = "1", B = "two words" }
    user            = "1000:1000"
    working_dir     = "/srv"
    hostname        = "www"
    labels          = { team = "web" }
    restart         = "on-failure"
    restart_retries = 3
    pids            = 100
    port {
      container = 80
      host      = 8080
    }
    port {
      container = 53
      host      = 53
      protocol  = "udp"
      address   = "127.0.0.1"
    }
    mount {
      source    = "/etc/ssl"
      target    = "/etc/ssl"
      read_only = true
    }
    mount {
      target = "/tmp"
      size   = "64MiB"
    }
    health_check {
      command      = ["/bin/check"]
      interval     = "5s"
      timeout      = "1s"
      start_period = "30s"
      retries      = 3
    }
    ulimit "nofile" {
      soft = 1024
      hard = 4096
    }
    ulimit "memlock" { soft = -1 }
  }
}
