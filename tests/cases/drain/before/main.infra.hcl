host "r1" {}
host "small" {}

workload "web" {
  container { image = "registry.example/web:1" }
}
