host "r1" {}

workload "worker" {
  count = 3
  container { image = "registry.example/worker:1" }
}
