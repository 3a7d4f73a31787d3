# References to nothing, each with what may be meant.

variable "region" {
  default = "eu"
}

locals {
  zone = var.regin
  a    = local.zon
  b    = zone
  c    = region
  d    = bare
  e    = workload.fed.id
  f    = workload.feed.adress
  g    = workload.counted.address
  h    = workload.counted[7].id
  i    = workload.feed[0].id
  j    = module.nowhere.x
  k    = module.m.ouput
  l    = each.key
  m    = count.index
  n    = path.cwd
  o    = var
  p    = workload
  q    = workload.each["z"].id
  r    = workload.feed.memory.sise
  s    = wrkload.feed.id
}

module "m" {
  source  = "./m"
  unknown = 1
}

workload "feed" {
  host = "r2"
  near = ["lan", "workload.gone", network.lan, host.r1, "counted"]
  memory {
    size = "1GiB"
  }
  interface "eth0" {
    network = "lna"
  }
  interface "eth1" {
    network = workload.counted[0]
  }
  depends_on = [workload.fed, module.x, local.zone, workload.feed.id, nonsense.x]
  lifecycle {
    ignore_changes = [evn]
  }
}

workload "near" {
  near = ["workload.gone"]
  memory {
    size = "1GiB"
  }
}

workload "nearer" {
  near = ["counted"]
  memory {
    size = "1GiB"
  }
}

workload "counted" {
  count = 2
  env   = { X = each.key }
  memory {
    size = "1GiB"
  }
}

workload "each" {
  for_each = toset(["x", "y"])
  env      = { X = each.vlaue, Y = count.index }
  memory {
    size = "1GiB"
  }
}

host "r1" {
}

network "lan" {
  subnet = "10.0.0.0/24"
}
