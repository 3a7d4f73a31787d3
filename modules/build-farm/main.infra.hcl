# Compilers that take work from others: distccd, with ccache in front of the compilers.

variable "network" {
  type        = string
  description = "The network it answers in: `network.NAME.id`."
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
  default     = 1024
  description = "Its memory, in MiB."
  validation {
    condition     = var.memory >= 512
    error_message = "A compiler wants at least 512 MiB."
  }
}

variable "workers" {
  type        = number
  default     = 2
  description = "How many workers."
  validation {
    condition     = var.workers >= 1
    error_message = "A farm has at least one worker."
  }
}

variable "apart" {
  type        = bool
  default     = false
  description = "Whether each worker is on a host of its own."
}

variable "cache" {
  type        = number
  default     = 2048
  description = "How much each worker keeps of what it has compiled, in MiB."
  validation {
    condition     = var.cache >= 64
    error_message = "A cache of less than 64 MiB keeps nothing."
  }
}

variable "allow" {
  type        = string
  default     = "10.0.0.0/8"
  description = "Who may have code compiled, which is to run commands: an address or a subnet."
  validation {
    condition     = can(cidrhost(var.allow, 0)) || can(cidrhost(format("%s/32", var.allow), 0))
    error_message = "It is an IPv4 address, or a subnet as \"10.0.0.0/8\"."
  }
}

locals {
  jobs = max(var.cpus, 1)
  command = ["distccd", "--no-detach", "--daemon", "--user", "distccd", "--log-stderr", "--log-level", "notice",
  "--jobs", tostring(local.jobs), "--allow", var.allow]
  env = {
    CCACHE_DIR     = "/var/cache/ccache"
    CCACHE_MAXSIZE = "${var.cache}M"
    PATH           = "/usr/lib/ccache:/usr/sbin:/usr/bin"
  }
  script = <<-END
    #!/bin/sh
    data-disk cache /var/cache/ccache && chown distccd /var/cache/ccache || exit
    ${join("\n", [for name, value in local.env : "export ${name}=${value}"])}
    exec ${join(" ", local.command)}
  END
}

image "container" {
  archive = "${path.module}/../build/build-farm.tar"
}

image "machine" {
  kernel    = "${path.module}/../build/vmlinuz"
  initramfs = "${path.module}/../build/build-farm.initrd"
}

workload "worker" {
  count   = var.workers
  class   = "build-farm"
  runtime = var.runtime
  apart   = var.apart ? "host" : null
  cpus {
    count   = max(var.cpus, 1)
    policy  = var.cpus > 0 ? "dedicated" : "shared"
    threads = var.cpus > 0 ? "prefer" : "any"
  }
  memory { size = "${var.memory}MiB" }

  interface "lan" { network = var.network }

  disk "cache" {
    size   = "${var.cache + 128}MiB"
    mount  = "/var/cache/ccache"
    serial = "cache"
  }

  container {
    image   = image.container
    command = local.command
    env     = local.env
    restart = "unless-stopped"
    # distccd ends with its jobs, which whoever sent them does again.
    stop_timeout = "2s"

    mount { target = "/tmp" }
    health_check {
      command  = ["grep", "-q", ":0E30 .* 0A ", "/proc/net/tcp"]
      interval = "5s"
      timeout  = "4s"
    }
  }

  kvm {
    image        = image.machine
    acceleration = var.acceleration
    cmdline      = "console=ttyS0 quiet"
    user_data    = local.script
    ready { port = 3632 }
  }

  bare_metal { exec = concat(["/usr/bin/distccd"], slice(local.command, 1, length(local.command))) }
}

output "hosts" {
  value       = join(" ", [for worker in workload.worker : "${worker.address}/${local.jobs},lzo"])
  description = "DISTCC_HOSTS of who sends work."
}
