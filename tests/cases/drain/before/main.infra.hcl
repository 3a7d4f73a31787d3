host "r1" { drain = true }
host "small" {}

workload "web" {
  container { image = "registry.example/web:1" }
}
