# What cannot be meant by `moved` and `removed`.
host "r1" {}
workload "web" {
  container { image = "registry.example/a:1" }
}
moved {
  from = workload.web
  to   = workload.other
}
removed { from = workload.web }
moved {
  from = workload.x
  to   = network.x
}
moved {
  from = host.r0
  to   = host.r1
}
moved {
  from = "workload.a"
  to   = workload.web.name
}
moved {
  from = workloat.a
  to   = workload.b
}
moved { from = workload.c }
moved {
  from = workload.d
  to   = workload.e
}
moved {
  from = workload.e
  to   = workload.d
}
removed {
  from = workload.gone[count.index]
  lifecycle {
    destroy         = "maybe"
    prevent_destroy = true
  }
}
