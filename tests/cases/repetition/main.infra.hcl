# `count` and `for_each`; each instance has an address of its own, in both senses.
host "r1" {}

network "lan" { subnet = "10.40.0.0/24" }

workload "worker" {
  count = 3
  interface "lan" { network = network.lan }
  container {
    image   = "registry.example/worker:1"
    command = ["work", "--shard", "${count.index}", "--of", "3"]
  }
}

workload "site" {
  for_each = { blog = 8080, "shop.eu" = 8081 }
  interface "lan" { network = network.lan }
  container {
    image = "registry.example/site:1"
    env   = { NAME = each.key, WORKERS = join(",", workload.worker[*].address) }
    port {
      container = 80
      host      = each.value
    }
  }
}

workload "none" {
  count = 0
  container { image = "registry.example/none:1" }
}

output "sites" {
  value = { for name, site in workload.site : name => site.address }
}
