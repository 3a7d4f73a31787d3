infra { project = "imap-server" }

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
  subnet = "10.78.7.0/24"
}

module "it" {
  source = "./.."

  network      = network.lan.id
  runtime      = var.runtime
  acceleration = var.acceleration
  users        = var.users
}

variable "users" {
  type        = map(string)
  sensitive   = true
  description = "Passwords by users' names. What stands here is for trying it: give others."
  default     = { ann = "try-me" }
}

output "address" {
  value       = module.it.address
  description = "Where it answers, by IMAP."
}
