host "r1" {}

workload "web" {
  container { image = "registry.example/web:1" }
}
