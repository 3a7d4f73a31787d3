host "r1" {}

workload "changed" {
  memory { size = "1GiB" }
  container { image = "registry.example/changed:1" }
}
