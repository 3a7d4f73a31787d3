# How CPUs lie to cores, asked of CPUs that others share; that they lie anyhow may be said.
workload "isolated" {
  cpus {
    count   = 2
    threads = "isolate"
  }
  container { image = "registry.example/a:1" }
}

workload "anyhow" {
  cpus { threads = "any" }
  container { image = "registry.example/a:1" }
}
