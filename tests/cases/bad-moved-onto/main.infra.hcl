# Two cannot become one.
host "r1" {}
workload "b" {
  container { image = "registry.example/a:1" }
}
moved {
  from = workload.a
  to   = workload.b
}
