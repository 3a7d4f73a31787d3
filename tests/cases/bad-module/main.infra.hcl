# Modules that are not there, and what they do not know.
host "r1" {}

module "gone" { source = "./gone" }
module "remote" { source = "git::https://example.net/site" }
module "site" {
  source = "./site"
  nmae   = "x"
}

output "url" { value = module.site.ulr }
