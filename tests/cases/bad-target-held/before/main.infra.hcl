host "r1" {}

workload "old" {
  container {
    image = "registry.example/a:1"
    port {
      host      = 80
      container = 80
    }
  }
}
