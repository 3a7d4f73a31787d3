# What loses its count was the first instance; the others go.
host "r1" {}

workload "web" {
  container { image = "registry.example/web:1" }
}
