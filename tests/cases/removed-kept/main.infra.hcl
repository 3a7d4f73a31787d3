# What is let go of stays as it is; the other is removed.
host "r1" {}
removed {
  from = workload.a
  lifecycle { destroy = false }
}
removed { from = workload.b }
