host "r1" {}

workload "some" {
  container {
    image   = "registry.example/some:1"
    command = ["old"]
    env     = { MODE = "old" }
  }
}

workload "less" {
  container {
    image   = "registry.example/less:1"
    command = ["old"]
  }
}

workload "all" {
  container {
    image   = "registry.example/all:1"
    command = ["old"]
  }
}
