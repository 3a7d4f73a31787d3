# No two of a kind on one host; others as evenly as may be.
host "r1" { labels = { rack = "a" } }
host "small" { labels = { rack = "b" } }
host "edge" { labels = { rack = "b" } }

workload "db" {
  count = 2
  apart = "rack"
  container { image = "registry.example/db:1" }
}

workload "web" {
  count  = 4
  spread = "host"
  container { image = "registry.example/web:1" }
}

workload "in_rack_b" {
  host_labels = { rack = "b" }
  container { image = "registry.example/web:1" }
}
