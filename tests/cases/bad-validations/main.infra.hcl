# All that failed, at once.
host "r1" {}

variable "replicas" {
  type    = number
  default = 0
  validation {
    condition     = var.replicas > 0
    error_message = "At least one replica is needed, not ${var.replicas}."
  }
  validation {
    condition     = var.replicas % 2 == 1
    error_message = "An even number has no majority."
  }
}

variable "name" {
  type = string
  validation {
    condition     = can(regex("^[a-z]+$", var.name))
    error_message = "The name is made of small letters."
  }
}

workload "web" {
  count = var.replicas
  container { image = "registry.example/web:1" }
}
