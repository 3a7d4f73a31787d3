# Dedicated workloads have taken every CPU: nothing is left to share.
host "small" {}

workload "all" {
  cpus {
    count  = 2
    policy = "dedicated"
  }
  container { image = "registry.example/a:1" }
}

workload "rest" {
  container { image = "registry.example/b:1" }
}
