# Near those who are where it may not be; near or apart in a rack where nobody knows the rack.
host "r1" { labels = { rack = "a" } }
host "small" {}

workload "db" {
  host             = host.r1
  placement_groups = ["db", "data"]
  container { image = "registry.example/db:1" }
}

workload "web" {
  host = host.small
  affinity "db" {}
  container { image = "registry.example/web:1" }
}

workload "api" {
  host = host.small
  affinity "data" { scope = "rack" }
  container { image = "registry.example/web:1" }
}

workload "batch" {
  host = host.small
  anti_affinity "db" { scope = "rack" }
  container { image = "registry.example/batch:1" }
}
