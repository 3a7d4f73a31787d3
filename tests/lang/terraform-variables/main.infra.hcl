# Conversion, optional attributes, null and defaults of variables: as Terraform has it.

variable "object" {
  type = object({
    a = number
    b = optional(string)
    c = optional(list(string), ["x"])
    d = optional(any, 3)
    e = optional(object({ f = optional(bool, true) }), {})
  })
}

variable "map" {
  type = map(string)
}

variable "set" {
  type = set(string)
}

variable "nothing" {
  type     = list(string)
  nullable = false
  default  = ["fallback"]
}

variable "null_allowed" {
  type    = string
  default = null
}

variable "tuple" {
  type    = tuple([number, string])
  default = ["1", 2]
}

variable "later" {
  type    = list(number)
  default = ["1", "2.5"]
  validation {
    condition     = alltrue([for n in var.later : n > 0])
    error_message = "All must be positive."
  }
  validation {
    condition     = length(var.later) == length(local.two)
    error_message = "There must be two."
  }
}

locals {
  two   = [for n in var.later : n * 2]
  empty = {}
}

output "object" {
  value = var.object
}

output "map" {
  value = var.map
}

output "set" {
  value = var.set
}

output "nothing" {
  value = var.nothing
}

output "null_allowed" {
  value = var.null_allowed == null
}

output "tuple" {
  value = var.tuple
}

output "later" {
  value = local.two
}

output "conditional" {
  value = var.null_allowed == null ? "none" : var.null_allowed
}
