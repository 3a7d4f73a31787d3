# A program whose sockets go past the kernel: OpenOnload, on a Solarflare card of the host.

variable "command" {
  type        = list(string)
  description = "The program and its arguments: it runs under `onload`."
  validation {
    condition     = length(var.command) > 0
    error_message = "Without a program there is nothing to run."
  }
}

variable "image" {
  type        = string
  description = "A registry's reference of an image with the program and OpenOnload's libraries, of the same version as the host's drivers."
}

variable "profile" {
  type        = string
  default     = "latency"
  description = "OpenOnload's profile."
}

variable "devices" {
  type        = list(string)
  default     = ["/dev/onload", "/dev/onload_epoll", "/dev/sfc_char"]
  description = "The devices of the host's drivers."
  validation {
    condition     = alltrue([for device in var.devices : startswith(device, "/dev/")])
    error_message = "A device is below /dev."
  }
}

variable "runtime" {
  type        = string
  default     = "auto"
  description = "What it runs as."
  validation {
    condition     = contains(["auto", "container", "bare_metal"], var.runtime)
    error_message = "It is \"auto\", \"container\" or \"bare_metal\": a virtual machine would need the card, and OpenOnload, to itself."
  }
}

variable "cpus" {
  type        = number
  default     = 2
  description = "CPUs of its own, with the other threads of their cores left idle."
  validation {
    condition     = var.cpus >= 1
    error_message = "It spins, so it needs a CPU of its own."
  }
}

variable "memory" {
  type        = number
  default     = 2048
  description = "Its memory, in MiB."
}

locals {
  command = concat(["onload", "--profile=${var.profile}"], var.command)
}

workload "trader" {
  class   = "onload-trading"
  runtime = var.runtime
  cpus {
    count   = var.cpus
    policy  = "dedicated"
    threads = "isolate"
  }
  memory { size = "${var.memory}MiB" }

  container {
    image        = var.image
    command      = local.command
    network_mode = "host"
    restart      = "unless-stopped"

    dynamic "device" {
      for_each = var.devices
      labels   = [device.value]
      content {}
    }
    # Rings of packets are locked in memory.
    ulimit "memlock" { soft = -1 }
    capabilities { add = ["IPC_LOCK"] }
  }

  bare_metal { exec = concat(["/usr/bin/onload"], slice(local.command, 1, length(local.command))) }
}

output "name" {
  value       = workload.trader.name
  description = "What its daemon knows it by."
}
