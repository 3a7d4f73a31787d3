# memcached in a container, with its cache as large as its memory allows.

variable "network" {
  type        = string
  description = "The network it answers in: `network.NAME.id`."
}

variable "image" {
  type        = string
  description = "A registry's reference of an image whose path holds memcached."
}

variable "memory" {
  type        = number
  default     = 256
  description = "Memory of the container, in MiB. The cache gets three quarters of it."
  validation {
    condition     = var.memory >= 64
    error_message = "memcached wants at least 64 MiB."
  }
}

variable "cpus" {
  type        = number
  default     = 0
  description = "CPUs of its own; 0: it shares."
}

workload "cache" {
  cpus {
    count   = max(var.cpus, 1)
    policy  = var.cpus > 0 ? "dedicated" : "shared"
    threads = var.cpus > 0 ? "prefer" : "any"
  }
  memory { size = "${var.memory}MiB" }

  interface "lan" { network = var.network }

  container {
    image   = var.image
    command = ["memcached", "-m", tostring(floor(var.memory * 3 / 4)), "-t", tostring(max(var.cpus, 1))]
    restart = "unless-stopped"

    ulimit "nofile" { soft = 65536 }
  }
}

output "address" {
  value       = "${workload.cache.address}:11211"
  description = "Where it answers."
}
