# What gets a count is its first instance, and keeps its name.
host "r1" {}

workload "web" {
  count = 2
  container { image = "registry.example/web:1" }
}
