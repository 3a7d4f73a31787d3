host "r1" {}

workload "web" {
  container { image = "registry.example/web:1" }
}
workload "other" {
  container { image = "registry.example/web:1" }
}
