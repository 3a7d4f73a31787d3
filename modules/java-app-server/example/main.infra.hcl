infra { project = "java-app-server" }

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
  subnet = "10.78.6.0/24"
}

module "it" {
  source = "./.."

  network      = network.lan.id
  runtime      = var.runtime
  acceleration = var.acceleration

  pages = { "ROOT/index.jsp" = file("index.jsp") }
}

output "url" {
  value       = module.it.url
  description = "Where it answers."
}
