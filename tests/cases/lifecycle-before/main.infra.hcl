# The new one runs before the old one is stopped; where both have a port, an address or a volume it is started after.
host "r1" {}

network "lan" { subnet = "10.70.0.0/24" }

workload "worker" {
  lifecycle { create_before_destroy = true }
  container { image = "registry.example/worker:2" }
}

workload "web" {
  interface "lan" { network = network.lan }
  disk "data" { mount = "/data" }
  lifecycle { create_before_destroy = true }
  container {
    image = "registry.example/web:2"
    port {
      container = 80
      host      = 8080
    }
  }
}
