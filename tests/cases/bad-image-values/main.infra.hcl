# What is no image, and an image by a secret.
host "r1" {}

network "lan" { subnet = "10.1.0.0/24" }

variable "token" {
  type      = string
  sensitive = true
}

workload "object" {
  container { image = network.lan }
}

workload "number" {
  container { image = 7 }
}

workload "secret" {
  container { image = "registry.example/${var.token}:1" }
}

workload "empty" {
  container { image = "" }
}
