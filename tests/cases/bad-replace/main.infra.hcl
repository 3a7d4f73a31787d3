# `--replace` of what is not declared.
host "r1" {}

workload "web" {
  container { image = "registry.example/web:1" }
}
