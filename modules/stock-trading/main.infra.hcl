# A market-data feed handler, on CPUs of its own. The handler is a stand-in: see README.md.

variable "network" {
  type        = string
  default     = null
  description = "The network it answers in: `network.NAME.id`. Without one it is on the host's own, which a virtual machine cannot be."
}

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
  default     = 1
  description = "CPUs of its own, with the other threads of their cores left idle; 0: it shares."
  validation {
    condition     = var.cpus >= 0
    error_message = "A number of CPUs is not negative."
  }
}

variable "memory" {
  type        = number
  default     = 160
  description = "Its memory, in MiB."
  validation {
    condition     = var.memory >= 160
    error_message = "As a virtual machine it needs 160 MiB."
  }
}

variable "port" {
  type        = number
  default     = 9100
  description = "The UDP port of the feed, and the TCP port that tells the book."
}

variable "group" {
  type        = string
  default     = null
  description = "The multicast group of the feed; without one datagrams come to its own address."
}

locals {
  command = concat(["feed", tostring(var.port)], var.group == null ? [] : [var.group])
}

image "container" {
  archive = "${path.module}/../build/stock-trading.tar"
}

image "machine" {
  kernel    = "${path.module}/../build/vmlinuz"
  initramfs = "${path.module}/../build/stock-trading.initrd"
}

workload "feed" {
  class   = "stock-trading"
  runtime = var.runtime
  cpus {
    count   = max(var.cpus, 1)
    policy  = var.cpus > 0 ? "dedicated" : "shared"
    threads = var.cpus > 0 ? "isolate" : "any"
  }
  memory { size = "${var.memory}MiB" }

  dynamic "interface" {
    for_each = var.network == null ? [] : ["lan"]
    labels   = [interface.value]
    content { network = var.network }
  }

  container {
    image        = image.container
    command      = local.command
    network_mode = var.network == null ? "host" : null
    restart      = "unless-stopped"

    health_check {
      command  = ["sh", "-c", "nc -w 3 127.0.0.1 ${var.port} < /dev/null | grep -q ^messages"]
      interval = "5s"
      timeout  = "4s"
    }
  }

  dynamic "kvm" {
    for_each = var.network == null ? [] : [1]
    content {
      image        = image.machine
      acceleration = var.acceleration
      cmdline      = "console=ttyS0 quiet"
      user_data    = "#!/bin/sh\nexec ${join(" ", local.command)}\n"
      ready { port = var.port }
    }
  }

  bare_metal { exec = concat(["/usr/local/bin/feed"], slice(local.command, 1, length(local.command))) }
}

output "address" {
  value       = var.network == null ? null : "${workload.feed.address}:${var.port}"
  description = "Where the feed goes by UDP, and where TCP tells the book; null on the host's own network, where it is the host's address."
}
