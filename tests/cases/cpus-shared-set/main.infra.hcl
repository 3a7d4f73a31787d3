# CPUs that are named and shared: no dedicated workload gets them.
host "small" {}

workload "near" {
  cpus {
    set    = "1"
    policy = "shared"
  }
  container { image = "registry.example/near:1" }
}
