host "r1" {}

workload "replaced" {
  container { image = "registry.example/replaced:1" }
  lifecycle { prevent_destroy = true }
}

workload "removed" {
  container { image = "registry.example/removed:1" }
  lifecycle { prevent_destroy = true }
}
