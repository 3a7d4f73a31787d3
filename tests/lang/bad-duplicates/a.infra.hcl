# Two of a name are an error that names both places.

variable "x" {
  default = 1
}

locals {
  l = 1
}

output "o" {
  value = 1
}

workload "w" {
  memory {
    size = "1GiB"
  }
}

infra {
  project = "one"
}
