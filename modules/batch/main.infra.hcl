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
  description = "A registry's reference of an image, for a container. Without it: bash, coreutils, findutils, gawk, grep, sed, tar and their like."
}

variable "scratch" {
  type        = number
  default     = 1024
  description = "Of a virtual machine: how large the disk is that it finds at /work, in MiB."
}

image "container" {
  archive = "${path.module}/../build/batch.tar"
}

image "machine" {
  kernel    = "${path.module}/../build/vmlinuz"
  initramfs = "${path.module}/../build/batch.initrd"
}

workload "job" {
  runtime = var.runtime
  cpus {
    count   = max(var.cpus, 1)
    policy  = var.cpus > 0 ? "dedicated" : "shared"
    threads = var.cpus > 0 ? "prefer" : "any"
  }
  memory { size = "${var.memory}MiB" }

  disk "work" {
    size   = "${var.scratch}MiB"
    mount  = "/work"
    serial = "work"
  }

  container {
    image       = var.image == null ? image.container.id : var.image
    command     = var.command
    working_dir = "/work"
  }

  kvm {
    image        = image.machine
    acceleration = var.acceleration
    cmdline      = "console=ttyS0 quiet"
    user_data    = "#!/bin/sh\ndata-disk work /work && cd /work || exit\n${join(" ", [for word in var.command : "'${replace(word, "'", "'\\''")}'"])}\n"
    ready { console = "script ended with 0" }
  }

  bare_metal { exec = var.command }
}

output "name" {
  value       = workload.job.name
  description = "What its daemon knows it by: `docker logs NAME`, or the log of its console."
}
