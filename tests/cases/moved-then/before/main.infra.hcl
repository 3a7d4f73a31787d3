host "r1" {}
workload "a" {
  container { image = "registry.example/a:1" }
}
workload "b" {
  container { image = "registry.example/a:1" }
}
