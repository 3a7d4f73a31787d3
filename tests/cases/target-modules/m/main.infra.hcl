workload "inner" {
  container { image = "registry.example/inner:1" }
}
