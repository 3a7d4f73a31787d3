infra { project = "gluster" }

variable "runtime" {
  type        = string
  default     = "auto"
  description = "What it runs as."
}

variable "acceleration" {
  type        = string
  default     = "kvm"
  description = "Of a virtual machine: by the hardware (kvm), or in software (emulated)."
}

network "lan" {
  subnet = "10.78.4.0/24"
}

module "it" {
  source = "./.."

  network      = network.lan.id
  runtime      = var.runtime
  acceleration = var.acceleration

  # One host is enough to try it; copies on one host are lost with it.
  apart    = false
  nodes    = 2
  replicas = 2
  memory   = 320
  brick    = 256
}

output "addresses" {
  value       = module.it.addresses
  description = "Where the nodes answer."
}

output "mount" {
  value       = module.it.mount
  description = "How a client mounts the volume."
}
