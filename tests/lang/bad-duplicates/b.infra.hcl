variable "x" {
  default = 2
}

locals {
  l = 2
}

output "o" {
  value = 2
}

workload "w" {
  memory {
    size = "2GiB"
  }
}

infra {
  project = "two"
}
