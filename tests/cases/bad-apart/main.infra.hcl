# More that are to be apart than there are racks; a label that no host has.
host "r1" { labels = { rack = "a" } }
host "small" { labels = { rack = "a" } }

workload "db" {
  count = 2
  apart = "rack"
  container { image = "registry.example/db:1" }
}

workload "nowhere" {
  host_labels = { zone = "north" }
  container { image = "registry.example/web:1" }
}

workload "no_such_label" {
  apart = "room"
  container { image = "registry.example/web:1" }
}
