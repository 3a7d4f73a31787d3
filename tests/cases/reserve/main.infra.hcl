# What the hosts keep for themselves, as written.
host "r1" {
  reserve {
    cpus            = "7"
    cpus_per_node   = 1
    memory_per_node = "8GiB"
  }
}

workload "everything_else" {
  cpus {
    count  = 4
    policy = "dedicated"
  }
  memory { size = "2GiB" }
  container { image = "registry.example/a:1" }
}

workload "the_last" {
  container { image = "registry.example/b:1" }
}
