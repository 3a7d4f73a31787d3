# memcached, with its cache as large as its memory allows.

variable "runtime" {
  type        = string
  default     = "auto"
  description = "What it runs as."
  validation {
    condition     = contains(["auto", "container", "kvm", "bare_metal"], var.runtime)
    error_message = "It is \"auto\", \"container\", \"kvm\" or \"bare_metal\"."
  }
}

variable "acceleration" {
  type        = string
  default     = "kvm"
  description = "Of a virtual machine: by the hardware (kvm), or in software (emulated)."
  validation {
    condition     = contains(["kvm", "emulated"], var.acceleration)
    error_message = "It is \"kvm\" or \"emulated\"."
  }
}

variable "cpus" {
  type        = number
  default     = 0
  description = "CPUs of its own, whole cores where there are; 0: it shares."
  validation {
    condition     = var.cpus >= 0
    error_message = "A number of CPUs is not negative."
  }
}

variable "memory" {
  type        = number
  default     = 256
  description = "Its memory, in MiB."
  validation {
    condition     = var.memory >= 96
    error_message = "memcached wants at least 64 MiB, and a virtual machine around it 96 MiB."
  }
}

variable "network" {
  type        = string
  default     = null
  description = "The network it answers in: `network.NAME.id`. Without one it is on the host's own, which a virtual machine cannot be."
}

variable "image" {
  type        = string
  default     = null
  description = "A registry's reference of an image with memcached in its path. With it there is no virtual machine to choose; without it, what `modules/images memcached` made is run."
}

variable "connections" {
  type        = number
  default     = 1024
  description = "How many clients at a time."
  validation {
    condition     = var.connections >= 1
    error_message = "A cache without clients is none."
  }
}

locals {
  command = ["memcached", "-u", "memcache", "-m", tostring(floor(var.memory * 3 / 4)), "-t", tostring(max(var.cpus, 1)),
  "-c", tostring(var.connections)]
  machine = var.image == null && var.network != null
}

image "container" {
  count   = var.image == null ? 1 : 0
  archive = "${path.module}/../build/memcached.tar"
}

image "machine" {
  count     = local.machine ? 1 : 0
  kernel    = "${path.module}/../build/vmlinuz"
  initramfs = "${path.module}/../build/memcached.initrd"
}

workload "cache" {
  class   = "memcached"
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
    image        = var.image == null ? image.container[0].id : var.image
    network_mode = var.network == null ? "host" : null
    command      = local.command
    restart      = "unless-stopped"

    ulimit "nofile" { soft = var.connections + 64 }
    health_check {
      command  = ["sh", "-c", "echo version | nc -w 2 127.0.0.1 11211 | grep -q VERSION"]
      interval = "5s"
      timeout  = "3s"
    }
  }

  dynamic "kvm" {
    for_each = local.machine ? [1] : []
    content {
      image        = image.machine[0]
      acceleration = var.acceleration
      cmdline      = "console=ttyS0 quiet"
      user_data    = "#!/bin/sh\nexec ${join(" ", local.command)}\n"
      ready { port = 11211 }
    }
  }

  bare_metal { exec = concat(["/usr/bin/memcached"], slice(local.command, 1, length(local.command))) }

  measure {
    command = ["perl", "${path.module}/gets.pl", "{address}"]
    metric  = "([0-9.]+) gets per second"
    better  = "higher"
    unit    = "gets/s"
  }
}

output "address" {
  value       = var.network == null ? null : "${workload.cache.address}:11211"
  description = "Where it answers; null on the host's own network, where it is the host's address."
}
