infra { project = "nfv" }

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

network "left" {
  subnet = "10.78.8.0/24"
}

network "right" {
  subnet = "10.78.9.0/24"
}

module "it" {
  source = "./.."

  left         = network.left.id
  right        = network.right.id
  runtime      = var.runtime
  acceleration = var.acceleration
}

output "name" {
  value       = module.it.name
  description = "What its daemon knows it by."
}
