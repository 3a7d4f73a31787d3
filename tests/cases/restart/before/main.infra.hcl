# What may not be stopped at any time: the change is planned, and says when it is applied. What changes in place, and who
# may be stopped, is changed at once.
host "r1" {}

image "guest" { kernel = "vmlinuz" }

workload "always" {
  container { image = "registry.example/a:1" }
}

workload "in_place" {
  restart = "never"
  memory { size = "1GiB" }
  container { image = "registry.example/b:1" }
}

workload "never" {
  restart = "never"
  container { image = "registry.example/c:1" }
}

workload "window" {
  restart        = "window"
  restart_window = "Sun 02:00-04:00"
  memory { size = "1GiB" }
  kvm { image = image.guest }
}
