# The facts of docs/placement.md: little is enough for CPUs and memory.
host "by-hand" {
  reserve {}
}

workload "fits" {
  cpus {
    count  = 1
    policy = "dedicated"
  }
  memory { size = "7GiB" }
  container { image = "registry.example/fits:1" }
}
