variable "url" {}

output "out" {
  value = "<${var.url}>"
}

# Terraform 1.11.4 shows such an output where it is used, against its own documentation; we do not.
output "declared" {
  value     = "quiet"
  sensitive = true
}
