# What is allocated is unknown at first, and what depends on it is evaluated again. Instances may read each
# other's addresses: that is no cycle.

workload "a" {
  for_each = toset(["x", "y"])
  env = {
    PEER = workload.a[each.key == "x" ? "y" : "x"].address
    UUID = workload.a["x"].uuid
  }
  memory {
    size = "1GiB"
  }
}

workload "b" {
  command = ["connect", local.all, module.m.greeting]
  memory {
    size = "1GiB"
  }
}

locals {
  all = join(",", [workload.a["x"].address, workload.a["y"].address])
}

module "m" {
  source  = "./m"
  address = workload.a["y"].address
}

output "all" {
  value = local.all
}

# Each knows all of them, itself too: only the addresses are read, so this is no cycle either.
workload "peers" {
  count = 3
  env = {
    ALL    = join(",", workload.peers[*].address)
    OTHERS = join(",", [for i, w in workload.peers : w.address if i != count.index])
    IDS    = join(" ", [for w in workload.a : "${w.id}=${w.env["UUID"]}"])
  }
  memory {
    size = "1GiB"
  }
}
