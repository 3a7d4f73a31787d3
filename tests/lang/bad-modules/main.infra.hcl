# Modules that cannot be, as far as their source goes.

module "missing" {
  source = "./missing"
}

module "none" {
}

module "registry" {
  source  = "terraform-aws-modules/vpc/aws"
  version = "1.0"
}

module "git" {
  source    = "git::https://example.net/x.git"
  providers = { a = b }
}

module "bare" {
  source = "modules/x"
}

module "computed" {
  source = local.folder
}

module "empty" {
  source = "./empty"
}

module "a" {
  source = "./a"
  block {
  }
}

output "missing" {
  value = module.missing.x
}
