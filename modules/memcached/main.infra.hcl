# memcached, with its cache as large as its memory allows.

variable "network" {
  type        = string
  default     = null
  description = "The network it answers in: `network.NAME.id`. Without one it is on the host's own, which a virtual machine cannot be."
}

variable "image" {
  type        = string
  default     = null
  description = "A registry's reference of an image with memcached in its path; what `../images memcached` made where there is none."
}

variable "runtime" {
  type        = string
  default     = "auto"
  description = "What it runs as: auto, container, kvm, bare_metal."
}

variable "acceleration" {
  type        = string
  default     = "kvm"
  description = "Of a virtual machine: kvm, or emulated."
}

variable "memory" {
  type        = number
  default     = 256
  description = "Its memory, in MiB. The cache gets three quarters of it."
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

locals {
  command = ["memcached", "-u", "memcache", "-m", tostring(floor(var.memory * 3 / 4)), "-t", tostring(max(var.cpus, 1))]
}

image "container" {
  archive = "${path.module}/../build/memcached.tar"
}

image "machine" {
  kernel    = "${path.module}/../build/vmlinuz"
  initramfs = "${path.module}/../build/memcached.initrd"
}

workload "cache" {
  runtime = var.runtime
  cpus {
    count   = max(var.cpus, 1)
    policy  = var.cpus > 0 ? "dedicated" : "shared"
    threads = var.cpus > 0 ? "prefer" : "any"
  }
  memory { size = "${var.memory}MiB" }

  dynamic "interface" {
    for_each = var.network == null ? [] : ["lan"]
    labels   = [interface.value]
    content { network = var.network }
  }

  container {
    image        = var.image == null ? image.container.id : var.image
    network_mode = var.network == null ? "host" : null
    command      = local.command
    restart      = "unless-stopped"

    ulimit "nofile" { soft = 65536 }
    health_check {
      command  = ["sh", "-c", "echo version | timeout 2 nc 127.0.0.1 11211 | grep -q VERSION"]
      interval = "2s"
      timeout  = "3s"
    }
  }

  dynamic "kvm" {
    for_each = var.network == null ? [] : [1]
    content {
      image        = image.machine
      acceleration = var.acceleration
      cmdline      = "console=ttyS0 quiet"
      user_data    = "#!/bin/sh\nexec ${join(" ", local.command)}\n"
      ready { port = 11211 }
    }
  }

  bare_metal { exec = concat(["/usr/bin/memcached"], slice(local.command, 1, length(local.command))) }
}

output "address" {
  value       = "${workload.cache.address}:11211"
  description = "Where it answers."
}
