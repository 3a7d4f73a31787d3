# What ran on a host that is emptied goes to another.
host "r1" {}
host "small" { drain = true }

workload "web" {
  container { image = "registry.example/web:1" }
}
