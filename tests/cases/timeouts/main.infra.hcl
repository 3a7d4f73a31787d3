# How long each step may take stands in the plan, by what is done.
host "r1" {
  parallelism = 8
  docker { parallelism = 4 }
  libvirt { parallelism = 2 }
}

workload "made" {
  timeouts {
    create = "90s"
    update = "10s"
  }
  container { image = "registry.example/made:1" }
}

workload "changed" {
  memory { size = "2GiB" }
  timeouts { update = "1.5s" }
  container { image = "registry.example/changed:1" }
}
