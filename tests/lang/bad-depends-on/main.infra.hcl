# What depends on itself by depends_on could never be started.

workload "a" {
  memory {
    size = "1GiB"
  }
  depends_on = [workload.b]
}

workload "b" {
  count = 2
  memory {
    size = "1GiB"
  }
  depends_on = [module.m]
}

module "m" {
  source     = "./m"
  depends_on = [workload.a]
}

workload "alone" {
  memory {
    size = "1GiB"
  }
  depends_on = [workload.alone]
}
