# A brace is missing.
host "r1" {}

workload "web" {
  container { image = "registry.example/a:1"
