# Modules with count and for_each, their inputs, defaults and outputs: as Terraform has it.

locals {
  sizes = { small = 1, large = 3 }
}

module "counted" {
  source = "./m"
  count  = 2
  name   = "n${count.index}"
  extra  = null
}

module "each" {
  source   = "./m"
  for_each = local.sizes
  name     = each.key
  numbers  = range(each.value)
}

module "single" {
  source = "./m"
  name   = upper(module.counted[0].name)
}

module "none" {
  source = "./m"
  count  = 0
  name   = "never"
}

output "counted" {
  value = module.counted
}

output "each" {
  value = { for k, m in module.each : k => m.sum }
}

output "splat" {
  value = module.counted[*].name
}

output "values" {
  value = values(module.each)[*].name
}

output "single" {
  value = module.single
}

output "none" {
  value = module.none
}
