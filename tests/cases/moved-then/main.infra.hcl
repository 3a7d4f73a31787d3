# What has moved and changes too, changes under the name it has.
host "r1" {}
workload "a" {
  container { image = "registry.example/a:1" }
}
workload "c" {
  container {
    image = "registry.example/a:1"
    pids  = 10
  }
  disk "new" { mount = "/data" }
}
moved {
  from = workload.b
  to   = workload.c
}
output "name" { value = workload.c.name }
