# A network function that forwards between two networks: DPDK's testpmd.

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
  description = "CPUs of its own, one of them for its console; 0: it shares."
  validation {
    condition     = var.cpus >= 0
    error_message = "A number of CPUs is not negative."
  }
}

variable "memory" {
  type        = number
  default     = 640
  description = "Its memory, in MiB."
  validation {
    condition     = var.memory >= 512
    error_message = "As a virtual machine it needs 512 MiB."
  }
}

variable "left" {
  type        = string
  description = "The one network: `network.NAME.id`."
}

variable "right" {
  type        = string
  description = "The other one."
}

variable "mode" {
  type        = string
  default     = "io"
  description = "What becomes of a packet: it passes as it is (io), or its MAC addresses are set (mac) or swapped (macswap)."
  validation {
    condition     = contains(["io", "mac", "macswap"], var.mode)
    error_message = "It is \"io\", \"mac\" or \"macswap\"."
  }
}

variable "packets" {
  type        = number
  default     = 128
  description = "Memory for packets, in MiB."
}

variable "fabric" {
  type        = string
  default     = null
  description = "Two virtual functions of this `fabric` of the host are given to it, as a virtual machine, instead of its ports in the networks."
}

variable "standby" {
  type        = bool
  default     = false
  description = "Its ports are up and it forwards nothing, so that it polls nothing: the second of two, or one on trial."
}

variable "vfs" {
  type        = map(number)
  default     = {}
  description = "Virtual functions that vfio-pci has, with their IOMMU groups, given to it as a container: `{ \"0000:3b:02.1\" = 42 }`."
}

locals {
  how     = length(var.vfs) > 0 ? join(" ", concat(["pci"], keys(var.vfs))) : "interfaces"
  inside  = var.fabric == null ? "interfaces" : "uio"
  command = ["forward", var.mode, tostring(var.packets)]
  env     = var.standby ? { STANDBY = "1" } : {}
}

image "container" {
  archive = "${path.module}/../build/nfv.tar"
}

image "machine" {
  kernel    = "${path.module}/../build/vmlinuz"
  initramfs = "${path.module}/../build/nfv.initrd"
}

workload "function" {
  class   = "nfv-container"
  runtime = var.runtime
  cpus {
    count   = max(var.cpus, 1)
    policy  = var.cpus > 0 ? "dedicated" : "shared"
    threads = var.cpus > 0 ? "prefer" : "any"
  }
  memory {
    size      = "${var.memory}MiB"
    page_size = var.fabric == null ? null : ["2MiB", "default"]
  }

  interface "left" { network = var.left }
  interface "right" { network = var.right }

  dynamic "device" {
    for_each = var.fabric == null ? [] : ["vfs"]
    labels   = [device.value]
    content {
      fabric = var.fabric
      count  = 2
    }
  }

  container {
    image   = image.container
    command = concat(local.command, split(" ", local.how))
    env     = local.env
    restart = "unless-stopped"

    # Packet sockets, and interfaces that hear what is not for them; with VFs memory that stays where it is.
    capabilities { add = length(var.vfs) > 0 ? ["IPC_LOCK"] : ["NET_ADMIN", "NET_RAW"] }
    dynamic "device" {
      for_each = length(var.vfs) > 0 ? concat(["/dev/vfio/vfio"], [for group in values(var.vfs) : "/dev/vfio/${group}"]) : []
      labels   = [device.value]
      content {}
    }
    dynamic "mount" {
      for_each = length(var.vfs) > 0 ? ["/dev/hugepages"] : []
      content {
        source = mount.value
        target = mount.value
      }
    }
    log {
      driver  = "json-file"
      options = { max-size = "1m" }
    }
    health_check {
      command  = ["test", "-S", "/run/dpdk/rte/dpdk_telemetry.v2"]
      interval = "5s"
    }
  }

  # (emulated within an emulated host it boots for minutes)
  timeouts { ready = "10m" }

  kvm {
    image        = image.machine
    acceleration = var.acceleration
    cmdline      = var.fabric == null ? "console=ttyS0 quiet" : "console=ttyS0 quiet hugepages=${ceil(var.packets / 2) + 16}"
    user_data    = "#!/bin/sh\n${var.standby ? "STANDBY=1 " : ""}${join(" ", local.command)} ${local.inside}\n"
    ready { console = "NIC statistics" }
  }

  bare_metal {
    exec = concat(["/usr/local/bin/forward", var.mode, tostring(var.packets)], split(" ", local.how))
    env  = local.env
  }
}

output "name" {
  value       = workload.function.name
  description = "What its daemon knows it by: what went through is in `docker logs NAME`, or in the log of its console."
}
