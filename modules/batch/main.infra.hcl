# A command of yours, run once.

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
    condition     = var.memory >= 64
    error_message = "It wants at least 64 MiB."
  }
}

variable "command" {
  type        = list(string)
  description = "The program and its arguments."
  validation {
    condition     = length(var.command) > 0
    error_message = "Without a program there is nothing to run."
  }
}

variable "image" {
  type        = string
  default     = null
  description = "A registry's reference of an image with a shell. With it there is no virtual machine to choose; without it there are bash, coreutils, findutils, gawk, grep, sed, tar and their like."
}

variable "scratch" {
  type        = number
  default     = 1024
  description = "Of a virtual machine: how large the disk is that it finds at /srv/job, in MiB."
}

variable "wait" {
  type        = string
  default     = "10m"
  description = "So long a virtual machine, or what depends on it, waits for its end."
}

locals {
  mark = ".done-${substr(sha256(jsonencode(var.command)), 0, 12)}"
  # A workload of infra runs until it is removed, so this one stays when its command has ended well, and remembers on its
  # disk that it did. Where the command fails it ends, with the command's exit status.
  once   = <<-END
    if [ ! -e /srv/job/${local.mark} ]; then
      "$@" || exit
      : > /srv/job/${local.mark}
    fi
    echo "ended with 0"
    trap 'exit 0' TERM
    while :; do sleep 3600 & wait; done
  END
  script = <<-END
    #!/bin/sh
    data-disk work /srv/job && cd /srv/job || exit
    set -- ${join(" ", [for word in var.command : "'${replace(word, "'", "'\\''")}'"])}
    ${local.once}
  END
}

image "container" {
  count   = var.image == null ? 1 : 0
  archive = "${path.module}/../build/batch.tar"
}

image "machine" {
  count     = var.image == null ? 1 : 0
  kernel    = "${path.module}/../build/vmlinuz"
  initramfs = "${path.module}/../build/batch.initrd"
}

workload "job" {
  class   = "batch"
  runtime = var.runtime
  cpus {
    count   = max(var.cpus, 1)
    policy  = var.cpus > 0 ? "dedicated" : "shared"
    threads = var.cpus > 0 ? "prefer" : "any"
  }
  memory { size = "${var.memory}MiB" }

  disk "work" {
    size   = "${var.scratch}MiB"
    mount  = "/srv/job"
    serial = var.image == null ? "work" : null
  }
  timeouts { ready = var.wait }

  container {
    image       = var.image == null ? image.container[0].id : var.image
    command     = concat(["sh", "-c", local.once, "job"], var.command)
    working_dir = "/srv/job"

    health_check {
      command      = ["test", "-e", "/srv/job/${local.mark}"]
      interval     = "5s"
      start_period = "24h"
    }
  }

  dynamic "kvm" {
    for_each = var.image == null ? [1] : []
    content {
      image        = image.machine[0]
      acceleration = var.acceleration
      cmdline      = "console=ttyS0 quiet"
      user_data    = local.script
      ready { console = "ended with 0" }
    }
  }

  bare_metal {
    exec = concat(["/usr/bin/env"], var.command) # which looks for it where a shell would
    task = true
  }
}

output "name" {
  value       = workload.job.name
  description = "What its daemon knows it by: what it said is in `docker logs NAME`, or in the log of its console."
}
