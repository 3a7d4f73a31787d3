# A module gets its inputs and gives its outputs; called twice it is there twice.
host "r1" {}

network "lan" { subnet = "10.50.0.0/24" }

module "site" {
  for_each = { blog = 8080, shop = 8081 }
  source   = "./site"
  name     = each.key
  port     = each.value
  network  = network.lan
}

workload "proxy" {
  interface "lan" { network = network.lan }
  container {
    image = "registry.example/proxy:1"
    env   = { for name, site in module.site : upper(name) => site.url }
  }
}

output "urls" {
  value = [for name in ["blog", "shop"] : module.site[name].url]
}
