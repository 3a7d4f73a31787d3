# Nodes that render: POV-Ray, a job a connection.

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
  default     = 0
  description = "CPUs of its own, whole cores where there are; 0: it shares."
  validation {
    condition     = var.cpus >= 0
    error_message = "A number of CPUs is not negative."
  }
}

variable "memory" {
  type        = number
  default     = 512
  description = "Its memory, in MiB."
  validation {
    condition     = var.memory >= 320
    error_message = "As a virtual machine a node needs 320 MiB."
  }
}

variable "nodes" {
  type        = number
  default     = 1
  description = "How many nodes."
  validation {
    condition     = var.nodes >= 1
    error_message = "A farm has at least one node."
  }
}

variable "port" {
  type        = number
  default     = 9200
  description = "The TCP port that takes jobs."
}

variable "scratch" {
  type        = number
  default     = 1024
  description = "Of virtual machines: how large the disk is on which a node has the files of its jobs, in MiB."
}

locals {
  command = ["render", "serve", tostring(var.port), tostring(max(var.cpus, 1))]
}

image "container" {
  archive = "${path.module}/../build/render-farm.tar"
}

image "machine" {
  kernel    = "${path.module}/../build/vmlinuz"
  initramfs = "${path.module}/../build/render-farm.initrd"
}

workload "node" {
  count   = var.nodes
  class   = "render-farm"
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

  disk "scratch" {
    size   = "${var.scratch}MiB"
    mount  = "/srv/render"
    serial = var.network == null ? null : "scratch"
  }

  container {
    image        = image.container
    command      = local.command
    network_mode = var.network == null ? "host" : null
    user         = "render"
    restart      = "unless-stopped"

    health_check {
      command  = ["sh", "-c", "grep -q ':${format("%04X", var.port)} .* 0A ' /proc/net/tcp /proc/net/tcp6"]
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
      user_data    = "#!/bin/sh\ndata-disk scratch /srv/render || exit\nexec ${join(" ", local.command)}\n"
      ready { console = "runs its script" }
    }
  }

  bare_metal { exec = concat(["/usr/local/bin/render"], slice(local.command, 1, length(local.command))) }

  measure {
    command = ["perl", "${path.module}/../ask.pl", "{address}", tostring(var.port), "${path.module}/sphere.pov", "4"]
    metric  = "([0-9.]+) answers per second"
    better  = "higher"
    unit    = "answers/s"
  }
}

output "addresses" {
  value       = var.network == null ? [] : [for node in workload.node : "${node.address}:${var.port}"]
  description = "Where the nodes take jobs; none on the host's own network, where it is the host's address."
}
