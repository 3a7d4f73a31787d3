host "small" {}

workload "a" {
  cpus { set = "0" }
  container { image = "registry.example/a:1" }
}

workload "b" {
  cpus { set = "1" }
  container { image = "registry.example/b:1" }
}
