# A pool of Gluster nodes, and a volume over all of their bricks.

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
  default     = 512
  description = "Its memory, in MiB."
  validation {
    condition     = var.memory >= 320
    error_message = "As a virtual machine a node needs 320 MiB."
  }
}

variable "nodes" {
  type        = number
  default     = 3
  description = "How many nodes."
  validation {
    condition     = var.nodes >= 1
    error_message = "A pool has at least one node."
  }
}

variable "replicas" {
  type        = number
  default     = 3
  description = "On how many nodes each file lies; 1: on one, without a copy."
  validation {
    condition     = var.replicas >= 1 && var.nodes % var.replicas == 0
    error_message = "The nodes come in sets of as many as there are replicas."
  }
}

variable "apart" {
  type        = bool
  default     = true
  description = "Whether each node is on a host of its own. Copies on one host are lost with it."
}

variable "volume" {
  type        = string
  default     = "data"
  description = "The name of the volume."
  validation {
    condition     = var.volume != "" && trim(var.volume, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
    error_message = "It is small letters, digits and hyphens."
  }
}

variable "brick" {
  type        = number
  default     = 10240
  description = "Of virtual machines: how large each node's disk is, in MiB."
}

image "container" {
  archive = "${path.module}/../build/gluster.tar"
}

image "machine" {
  kernel    = "${path.module}/../build/vmlinuz"
  initramfs = "${path.module}/../build/gluster.initrd"
}

workload "node" {
  count   = var.nodes
  class   = "gluster"
  runtime = var.runtime
  apart   = var.apart ? "host" : null
  cpus {
    count   = max(var.cpus, 1)
    policy  = var.cpus > 0 ? "dedicated" : "shared"
    threads = var.cpus > 0 ? "prefer" : "any"
  }
  memory { size = "${var.memory}MiB" }

  interface "lan" { network = var.network }

  disk "brick" {
    size   = "${var.brick}MiB"
    mount  = "/srv/gluster"
    serial = "brick"
  }

  container {
    image   = image.container
    command = concat(["gluster-node", var.volume, tostring(var.replicas), workload.node[count.index].address], workload.node[*].address)
    restart = "unless-stopped"

    # A brick's bookkeeping is in trusted.* attributes, which the kernel gives to CAP_SYS_ADMIN alone.
    capabilities { add = ["SYS_ADMIN"] }
    health_check {
      command      = ["gluster", "volume", "status", var.volume]
      interval     = "5s"
      timeout      = "10s"
      start_period = "60s"
    }
  }

  kvm {
    image        = image.machine
    acceleration = var.acceleration
    cmdline      = "console=ttyS0 quiet"
    user_data    = "#!/bin/sh\ndata-disk brick /srv/gluster || exit\nexec gluster-node ${var.volume} ${var.replicas} ${workload.node[count.index].address} ${join(" ", workload.node[*].address)}\n"
    ready { console = "the volume ${var.volume} is up" }
  }

  bare_metal { exec = ["/usr/sbin/glusterd", "--no-daemon"] }
}

output "addresses" {
  value       = workload.node[*].address
  description = "Where the nodes answer."
}

output "mount" {
  value       = "mount -t glusterfs ${workload.node[0].address}:/${var.volume} /mnt"
  description = "How a client mounts the volume."
}
