# What is left out keeps what it has, also when it is declared no longer.
host "r1" {}

workload "new" {
  container {
    image = "registry.example/a:1"
    port {
      host      = 80
      container = 80
    }
  }
}
