# Words that name nothing, all of them.
host "r1" {}

workload "web" {
  container { image = "registry.example/web:1" }
}
