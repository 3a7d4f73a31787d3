# Near and apart from others: the cache follows its database, whose replicas are in different racks; batch work keeps
# away from both where it can.
host "r1" { labels = { rack = "a" } }
host "small" { labels = { rack = "b" } }

workload "db" {
  count            = 2
  placement_groups = ["db"]
  apart            = "rack"
  cpus { count = 1 }
  container { image = "registry.example/db:1" }
}

workload "cache" {
  host_labels      = { rack = "b" }
  placement_groups = ["cache"]
  container { image = "registry.example/cache:1" }
}

workload "web" {
  affinity "cache" {}
  container { image = "registry.example/web:1" }
}

workload "api" {
  affinity "cache" { scope = "rack" }
  container { image = "registry.example/api:1" }
}

workload "batch" {
  anti_affinity "cache" {}
  container { image = "registry.example/batch:1" }
}

workload "backup" {
  anti_affinity "db" { required = false }
  container { image = "registry.example/backup:1" }
}
