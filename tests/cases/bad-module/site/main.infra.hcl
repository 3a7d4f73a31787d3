variable "name" { type = string }
output "url" { value = var.name }
