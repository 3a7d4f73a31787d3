infra { project = "batch" }

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

module "it" {
  source = "./.."

  command      = var.command
  runtime      = var.runtime
  acceleration = var.acceleration
}

variable "command" {
  type        = list(string)
  default     = ["sh", "-c", "seq 1 1000 | awk '{ sum += $1 } END { print \"sum\", sum }' | tee /srv/job/sum"]
  description = "What is run."
}

output "name" {
  value       = module.it.name
  description = "What its daemon knows it by."
}
