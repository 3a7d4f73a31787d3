# Two containers change CPUs with each other: a circle of claims, broken where the change is live.
host "small" {}

workload "a" {
  cpus { set = "1" }
  container { image = "registry.example/a:1" }
}

workload "b" {
  cpus { set = "0" }
  container { image = "registry.example/b:1" }
}
