# Declared blocks of every sort, and every way to refer to one.

infra {
  project = "demo"
}

host "r1" {
}

network "lan" {
  subnet = "10.0.0.0/24"
  dns    = ["10.0.0.1"]
}

locals {
  services = {
    api = { memory = "2GiB", queues = [1, 2] }
    web = { memory = "512MiB", queues = [] }
  }
}

workload "single" {
  runtime = "kvm"
  host    = "r1"
  near    = [network.lan, workload.counted[1]]
  env = {
    BRIDGE  = network.lan.bridge
    SELF    = workload.single.uuid
    COUNTED = join(",", workload.counted[*].id)
    NUMBER  = 7
  }

  memory {
    size = "1GiB"
  }

  interface "eth0" {
    network = network.lan
    address = "10.0.0.9"
  }
}

workload "counted" {
  count   = 2
  command = ["run", "--index", count.index]
  memory {
    size = "${count.index + 1}GiB"
  }
}

workload "each" {
  for_each = local.services
  host     = host.r1.id
  env      = { NAME = each.key, PEER = workload.counted[0].memory.size }
  limits   = { swap = each.value.memory }

  cpus {
    count  = 2
    policy = "dedicated"
  }
  memory {
    size = each.value.memory
  }
  dynamic "interface" {
    for_each = { lan = network.lan }
    labels   = [interface.key]
    content {
      network = "lan"
      dynamic "queue" {
        for_each = each.value.queues
        iterator = q
        content {
          depth = q.value * 10 + length(interface.key)
        }
      }
    }
  }
  depends_on = [workload.counted]
}

workload "last" {
  depends_on = [workload.each["api"]]
  any        = workload.each["web"].cpus
  memory {
    size = workload.each["api"].limits["swap"]
  }
}

output "ids" {
  value = [for w in workload.each : w.id]
}

output "whole" {
  value = network.lan
}
