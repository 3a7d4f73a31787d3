# Values of the wrong type or form, with the path to what is wrong.

locals {
  nine   = 9
  secret = sensitive("verysecret")
}

network "lan" {
  subnet = "10.0.0.0"
  dhcp   = "maybe"
  dns    = "10.0.0.1"
}

workload "a" {
  runtime = "contianer"
  env     = { A = [1] }
  command = ["x", null]
  limits  = { swap = "2GiB", "log files" = 10 }
  cpus {
    count  = 0
    policy = local.secret
  }
  memory {
    size      = 8
    page_size = "2GB"
  }
}

workload "b" {
  env     = ["A=1"]
  command = "run"
  memory {
    size = local.secret
  }
  cpus {
    count = 1.5
  }
}

workload "c" {
  memory {
    size = null
  }
  cpus {
    count = "two"
  }
}

workload "d" {
  runtime = "vm"
  memory {
    size = [local.nine]
  }
}

workload "e" {
  runtime = local.secret
  limits  = { swap = local.secret }
  env     = local.secret
  cpus {
    count = local.secret
  }
  memory {
    size = "1GiB"
  }
}
