# Without a `host` block this machine is the one.
workload "web" {
  container { image = "registry.example/web:1" }
}
