# The dependency is made anew; the dependent only gets more memory, and need not be stopped for that.
host "r1" {}

workload "database" {
  container { image = "registry.example/database:2" }
}
workload "web" {
  memory { size = "64MiB" }
  container { image = "registry.example/web:1" }
  depends_on = [workload.database]
}
