host "r1" {}

workload "database" {
  container { image = "registry.example/database:1" }
}
workload "web" {
  container { image = "registry.example/web:1" }
  depends_on = [workload.database]
}
