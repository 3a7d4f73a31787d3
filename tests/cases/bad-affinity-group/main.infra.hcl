# Groups that nobody is in.
workload "db" {
  placement_groups = ["db"]
  container { image = "registry.example/db:1" }
}

workload "web" {
  affinity "dbs" {}
  anti_affinity "web" { scope = "rack" }
  container { image = "registry.example/web:1" }
}
