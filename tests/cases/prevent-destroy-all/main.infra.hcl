# Neither is it destroyed with all the rest.
host "r1" {}

workload "kept" {
  disk "data" { mount = "/data" }
  container { image = "registry.example/kept:1" }
  lifecycle { prevent_destroy = true }
}
