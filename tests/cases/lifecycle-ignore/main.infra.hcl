# What is ignored is not compared: the command stays as it is, whatever the configuration says now.
host "r1" {}

workload "some" {
  container {
    image   = "registry.example/some:1"
    command = ["new"]
    env     = { MODE = "new" }
  }
  lifecycle { ignore_changes = [container.command, container.env] }
}

workload "less" {
  container {
    image   = "registry.example/less:1"
    command = ["new"]
    user    = "nobody"
  }
  lifecycle { ignore_changes = [container.command] }
}

workload "all" {
  container {
    image   = "registry.example/all:1"
    command = ["new"]
  }
  lifecycle { ignore_changes = all }
}
