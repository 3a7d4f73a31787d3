# What comes from something sensitive stays so through everything.

variable "password" {
  type      = string
  sensitive = true
}

locals {
  url = "postgres://u:${var.password}@db"
}

module "m" {
  source = "./m"
  url    = local.url
}

workload "a" {
  password = "hunter2"
  env      = { P = var.password, PLAIN = "x" }
  command  = [local.url, "plain"]
  memory {
    size = "1GiB"
  }
}

workload "b" {
  env = { P = workload.a.password, PLAIN = workload.a.env["PLAIN"] }
  memory {
    size = "1GiB"
  }
}

output "url" {
  value     = local.url
  sensitive = true
}

output "length" {
  value = nonsensitive(length(module.m.out))
}
