# Variables without a value, with a wrong one, and values without a variable.

variable "undeclared" {
  default = 1
}

variable "needed" {
  type        = string
  description = "Is needed."
}

variable "number" {
  type = number
}

variable "list" {
  type = list(number)
}

variable "object" {
  type = object({ a = string, b = optional(number) })
}

variable "calls" {
}

variable "default" {
  type    = list(number)
  default = ["one"]
}

variable "null" {
  nullable = false
  default  = null
}

variable "type" {
  type = strng
}

variable "count" {
}

variable "extra" {
  default  = 1
  requird  = true
  sensitive = "perhaps"
}

module "m" {
  source = "./m"
  inner  = null
  typed  = "x"
}
