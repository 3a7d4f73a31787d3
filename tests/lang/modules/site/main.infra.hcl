variable "name" {
  type = string
}

variable "replicas" {
  type    = number
  default = 1
}

variable "network" {
  type = string
}

module "leaf" {
  source  = "./leaf"
  count   = var.replicas
  network = var.network
  size    = "${count.index + 1}GiB"
}

output "names" {
  value = module.leaf[*].name
}

output "sizes" {
  value = [for leaf in module.leaf : leaf.size]
}

output "folder" {
  value = "${path.module} ${path.root}"
}
