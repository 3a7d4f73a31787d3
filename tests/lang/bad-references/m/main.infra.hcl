variable "needed" {}

output "output" {
  value = var.needed
}
