# Shared CPUs within the host's ratio; dedicated ones leave fewer.
host "small" {
  overcommit { cpus = 2 }
}

workload "two" {
  cpus { count = 2 }
  container { image = "registry.example/web:1" }
}

workload "three" {
  cpus { count = 3 }
  container { image = "registry.example/web:1" }
}
