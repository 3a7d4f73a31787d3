# All failed validations at once, each at the place the value comes from too; no errors that follow from them.

variable "name" {
  type = string
  validation {
    condition     = var.name == lower(var.name)
    error_message = "The name must be lower case, and is ${var.name}."
  }
  validation {
    condition     = length(var.name) < 5
    error_message = "The name must be short."
  }
}

variable "port" {
  type = number
  validation {
    condition     = var.port < 65536
    error_message = "No such port."
  }
}

variable "ratio" {
  validation {
    condition     = var.ratio < 1
    error_message = "Must be below one."
  }
}

variable "defaulted" {
  default = "bad"
  validation {
    condition     = var.defaulted == "good"
    error_message = "The default is bad."
  }
}

variable "secret" {
  default   = "hush"
  sensitive = true
  validation {
    condition     = var.secret == ""
    error_message = "It is ${var.secret}."
  }
}

variable "odd" {
  default = 1
  validation {
    condition     = "perhaps"
    error_message = "?"
  }
  validation {
    error_message = "?"
  }
}

locals {
  follows = element([], var.port)
}

module "m" {
  source = "./m"
  inner  = "x"
}

workload "a" {
  memory {
    size = "1GiB"
  }
  lifecycle {
    precondition {
      condition     = length("ab") == 1
      error_message = "Two is not one."
    }
    precondition {
      condition     = null
      error_message = "Null is nothing."
    }
  }
}

output "checked" {
  value = 1
  precondition {
    condition     = 1 > 2
    error_message = "One is less."
  }
}
