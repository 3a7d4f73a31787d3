variable "name" { type = string }
variable "port" { type = number }
variable "network" { type = any }

workload "web" {
  interface "lan" { network = var.network }
  container {
    image = "registry.example/web:1"
    env   = { SITE = var.name }
    port {
      container = 80
      host      = var.port
    }
  }
}

output "url" {
  value = "http://${workload.web.address}:${var.port}/"
}
