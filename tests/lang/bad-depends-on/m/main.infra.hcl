workload "c" {
  memory {
    size = "1GiB"
  }
}
