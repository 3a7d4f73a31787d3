infra { project = "stock-trading" }

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
  subnet = "10.78.2.0/24"
}

module "it" {
  source = "./.."

  network      = network.lan.id
  runtime      = var.runtime
  acceleration = var.acceleration
}

output "address" {
  value       = module.it.address
  description = "Where the feed goes by UDP, and where TCP tells the book."
}
