# A container and a virtual machine on one network: memcached on a CPU of its
# own, and a guest that serves HTTP on its planned address.
infra {
  project          = "quickstart"
  required_version = ">= 0.1.0"
}

variable "acceleration" {
  type        = string
  default     = "kvm"
  description = "How the guest's instructions are run: by the hardware (kvm), or in software (emulated)."
  validation {
    condition     = contains(["kvm", "emulated"], var.acceleration)
    error_message = "It is \"kvm\" or \"emulated\"."
  }
}

variable "cache_cpu" {
  type        = number
  default     = 1
  description = "The CPU that memcached has to itself; the guest shares the others."
}

network "lan" {
  subnet = "10.77.0.0/24"
}

image "memcached" {
  archive = "build/memcached.tar"
}

image "guest" {
  kernel    = "build/vmlinuz"
  initramfs = "build/initrd.img"
}

workload "cache" {
  cpus { set = tostring(var.cache_cpu) }
  memory { size = "64MiB" }

  interface "lan" { network = network.lan }

  container {
    image   = image.memcached
    command = ["memcached", "-u", "memcache", "-m", "32"]
    restart = "unless-stopped"

    health_check {
      command  = ["sh", "-c", "echo version | timeout 2 nc 127.0.0.1 11211 | grep -q VERSION"]
      interval = "1s"
      timeout  = "3s"
    }
  }
}

locals {
  web_address = cidrhost("10.77.0.0/24", 80)
}

workload "web" {
  cpus { count = 1 }
  memory { size = "128MiB" }

  interface "lan" {
    network = network.lan
    address = local.web_address
  }

  kvm {
    image        = image.guest
    acceleration = var.acceleration
    cmdline      = "console=ttyS0 quiet infra.address=${local.web_address}/24 infra.hostname=web"
  }

  depends_on = [workload.cache]
}

output "cache" {
  value       = "${workload.cache.address}:11211"
  description = "Where memcached answers."
}

output "web" {
  value       = "http://${workload.web.address}/"
  description = "Where the guest answers."
}
