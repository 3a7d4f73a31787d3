# Cycles, as a path with the place of each step; what merely needs one is not reported again.

locals {
  a = local.b
  b = [local.c]
  c = "${local.a}!"

  itself = local.itself + 1

  outside = local.a
}

workload "x" {
  command = [workload.y.env["A"]]
  memory {
    size = "1GiB"
  }
}

workload "y" {
  env = { A = workload.x.command[0] }
  memory {
    size = "1GiB"
  }
}

workload "whole" {
  for_each = toset(["a", "b"])
  command  = [for w in workload.whole : w.command[0]]
  near     = values(workload.whole)[*].id
  memory {
    size = "1GiB"
  }
}

workload "amount" {
  count = length(workload.amount)
  memory {
    size = "1GiB"
  }
}

module "m" {
  source = "./m"
  in     = module.m.out
}
