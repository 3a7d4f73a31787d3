variable "inner" {
  validation {
    condition     = var.inner == "y"
    error_message = "Must be y."
  }
}
