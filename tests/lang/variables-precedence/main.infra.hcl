# Environment, automatic files by name, then the command line in its order. Terraform 1.11.4 gives the same.

variable "a" {}
variable "b" {}
variable "c" {}
variable "d" {}
variable "e" {}
variable "text" {}
variable "number" {
  type = number
}
variable "list" {
  type = list(string)
}
variable "any" {
  type = any
}

output "letters" {
  value = "${var.a} ${var.b} ${var.c} ${var.d} ${var.e}"
}

output "text" {
  value = var.text
}

output "number" {
  value = var.number + 1
}

output "list" {
  value = var.list
}

output "any" {
  value = var.any
}
