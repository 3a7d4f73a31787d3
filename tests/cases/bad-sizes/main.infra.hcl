# A size has a unit.
host "r1" {}

workload "a" {
  memory { size = "512" }
  container { image = "registry.example/a:1" }
}
workload "b" {
  memory { size = "8 gigabytes" }
  container { image = "registry.example/a:1" }
}
workload "c" {
  memory { size = "-1GiB" }
  container { image = "registry.example/a:1" }
}
workload "d" {
  memory { size = 512 }
  container { image = "registry.example/a:1" }
}
workload "e" {
  memory { size = "20000000TiB" }
  container { image = "registry.example/a:1" }
}
