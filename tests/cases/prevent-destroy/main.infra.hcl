# Neither is it replaced, nor does it go with its declaration.
host "r1" {}

workload "replaced" {
  container {
    image = "registry.example/replaced:2"
    user  = "nobody"
  }
  lifecycle { prevent_destroy = true }
}
