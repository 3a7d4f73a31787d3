host "r1" {}
host "small" {}

workload "web" {
  host = host.small
  container { image = "registry.example/web:1" }
}
