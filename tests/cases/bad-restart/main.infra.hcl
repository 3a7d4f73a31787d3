# Windows that are none, are missing, or have no use.
host "r1" {}

workload "a" {
  restart = "window"
  container { image = "registry.example/a:1" }
}

workload "b" {
  restart        = "window"
  restart_window = "Son 2-4"
  container { image = "registry.example/a:1" }
}

workload "c" {
  restart_window = "Sun 02:00-04:00"
  container { image = "registry.example/a:1" }
}

workload "d" {
  restart = "sometimes"
  container { image = "registry.example/a:1" }
}
