host "small" {}

workload "sharer" {
  container { image = "registry.example/sharer:1" }
}
