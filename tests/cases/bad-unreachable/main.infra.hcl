# Who finds no place may have one where nobody can look.
host "r1" {}
host "small" {}
host "edge" {}

workload "large" {
  memory { size = "4TiB" }
  container { image = "registry.example/a:1" }
}
