# Planned on recorded facts of a machine with two NUMA nodes: nothing is contacted.
#
#   infra -C examples/two-sockets plan --facts hosts
infra {
  project = "two-sockets"
}

host "r1" {
  reserve {
    cpus_per_node   = 1
    memory_per_node = "1GiB"
  }
}

network "lan" {
  subnet = "10.20.0.0/24"
}

variable "caches" {
  type = map(object({
    memory = optional(number, 256)
    cpus   = optional(number, 0)
  }))
  default = {
    hot     = { memory = 1024, cpus = 2 }
    session = { cpus = 1 }
    spare   = {}
  }
  description = "The caches to run, by name."
}

module "cache" {
  source   = "../../modules/memcached"
  for_each = var.caches

  network = network.lan.id
  image   = "docker.io/library/memcached:1.6"
  memory  = each.value.memory
  cpus    = each.value.cpus
}

output "caches" {
  value = { for name, cache in module.cache : name => cache.address }
}
