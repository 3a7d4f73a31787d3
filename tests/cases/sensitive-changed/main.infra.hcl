# That a secret changed can be seen, and what it is or was cannot.
host "r1" {}

variable "password" {
  type      = string
  sensitive = true
}

workload "db" {
  container {
    image = "registry.example/db:1"
    env   = { PASSWORD = var.password }
  }
}

output "password" {
  value     = var.password
  sensitive = true
}
