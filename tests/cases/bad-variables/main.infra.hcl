# Values that are missing, of another type, or of nobody's.
host "r1" {}

variable "needed" { type = string }
variable "number" { type = number }
variable "object" { type = object({ name = string, port = number }) }

workload "web" {
  container { image = "registry.example/${var.needed}:${var.number}" }
}
