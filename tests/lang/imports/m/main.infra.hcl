workload "inner" {
  count = 1
  memory { size = "1GiB" }
}
