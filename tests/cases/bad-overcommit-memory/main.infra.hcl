# More is promised than there is, and nobody gets more than there is.
host "small" {
  overcommit { memory_percent = 150 }
}

workload "large" {
  memory { size = "5GiB" }
  container { image = "registry.example/large:1" }
}
