# Who depends on another comes after it, whatever the order of their names.
host "r1" {}

workload "a_last" {
  depends_on = [workload.b_middle]
  container { image = "registry.example/a:1" }
}

workload "b_middle" {
  depends_on = [workload.c_first]
  container { image = "registry.example/b:1" }
}

workload "c_first" {
  container {
    image = "registry.example/c:1"
    health_check {
      command  = ["true"]
      interval = "1s"
      timeout  = "500ms"
      retries  = 3
    }
  }
}
