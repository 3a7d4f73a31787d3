# The infra block.

infra {
  project          = ""
  required_version = ">= 99.0"
  name             = "x"
}

module "m" {
  source = "./m"
}
