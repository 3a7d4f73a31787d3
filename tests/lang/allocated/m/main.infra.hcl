variable "address" {
  type = string
  validation {
    condition     = startswith(var.address, "10.")
    error_message = "Must be one of ours."
  }
}

output "greeting" {
  value = "hello ${var.address}"
}
