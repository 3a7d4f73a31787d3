# More memory than there is, in all, where the host says so.
host "small" {
  overcommit { memory_percent = 150 }
}

workload "cache" {
  memory { size = "3GiB" }
  container { image = "registry.example/cache:1" }
}

workload "web" {
  memory { size = "3GiB" }
  container { image = "registry.example/web:1" }
}
