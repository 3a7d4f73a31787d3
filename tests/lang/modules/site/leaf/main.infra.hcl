variable "network" {
  type = string
}

variable "size" {
  type = string
}

workload "w" {
  memory {
    size = var.size
  }
  interface "eth0" {
    network = var.network
  }
}

output "name" {
  value = workload.w.id
}

output "size" {
  value = workload.w.memory.size
}
