# Modules in modules, repeated, with what they depend on and read.

network "lan" {
  subnet = "10.0.0.0/24"
}

module "site" {
  source   = "./site"
  for_each = { eu = 1, us = 2 }
  name     = each.key
  replicas = each.value
  network  = network.lan.id
}

module "later" {
  source     = "./site/leaf"
  count      = 1
  network    = "network.lan"
  size       = module.site["us"].sizes[1]
  depends_on = [module.site["eu"], network.lan]
}

output "names" {
  value = { for key, site in module.site : key => site.names }
}

output "first" {
  value = module.later[0].name
}

output "folder" {
  value = module.site["eu"].folder
}
