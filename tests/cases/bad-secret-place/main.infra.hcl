# Secrets where none can be kept.
host "r1" {}

variable "password" {
  type      = string
  sensitive = true
}

workload "web" {
  container {
    image    = "registry.example/a:1"
    user     = var.password
    hostname = nonsensitive(var.password) == "" ? "a" : "b"
    labels   = { password = var.password }
  }
}

output "password" { value = var.password }
