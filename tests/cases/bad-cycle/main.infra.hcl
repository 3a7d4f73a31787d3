# A circle is shown as the path that it is.
host "r1" {}

network "lan" { subnet = "10.1.0.0/24" }

workload "a" {
  container {
    image = "registry.example/a:1"
    env   = { B = workload.b.name }
  }
  depends_on = [workload.b]
}

workload "b" {
  container { image = "registry.example/b:1" }
  depends_on = [workload.c]
}

workload "c" {
  container { image = "registry.example/c:1" }
  depends_on = [workload.a]
}

locals {
  x = local.y
  y = local.z + 1
  z = local.x
}
