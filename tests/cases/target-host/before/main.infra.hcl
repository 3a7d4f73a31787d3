host "r1" {}
host "small" {}

workload "stays" {
  host = host.small
  container { image = "registry.example/a:1" }
}
workload "moves" {
  host = host.small
  container { image = "registry.example/a:1" }
}
workload "gone" {
  host = host.r1
  container { image = "registry.example/a:1" }
}
