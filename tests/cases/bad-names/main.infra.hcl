# Labels that cannot be addresses.
host "r1" {}

workload "my web" {
  container { image = "registry.example/a:1" }
}
workload "" {
  container { image = "registry.example/a:1" }
}
