infra { project = "memcached" }

variable "runtime" {
  type    = string
  default = "auto"
}

network "lan" {
  subnet = "10.78.1.0/24"
}

module "memcached" {
  source = "./.."

  network      = network.lan.id
  runtime      = var.runtime
  acceleration = "emulated"
}

output "address" {
  value = module.memcached.address
}
