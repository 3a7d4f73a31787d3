variable "name" {
  type = string
}

variable "numbers" {
  type    = list(number)
  default = [1, 2]
}

variable "extra" {
  type    = string
  default = "default"
}

locals {
  sum = sum(concat(var.numbers, [0]))
}

output "name" {
  value = var.name
}

output "sum" {
  value = local.sum
}

output "extra" {
  value = var.extra == null ? "was null" : var.extra
}
