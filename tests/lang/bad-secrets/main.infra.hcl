# What is sensitive is shown in no error, neither as a value nor as a line of the sources it came from.

variable "short" {
  type      = string
  sensitive = true
  validation {
    condition     = length(var.short) > 10
    error_message = "Too short."
  }
}

variable "number" {
  type      = number
  sensitive = true
}

variable "list" {
  type      = list(string)
  sensitive = true
}

variable "parsed" {
  type      = any
  sensitive = true
}

workload "a" {
  limits = { swap = var.short }
  memory {
    size = "1GiB"
  }
}
