# Values from everywhere: the environment, files by themselves, and the command line in its order.
host "r1" {}

variable "a" {
  type    = string
  default = "default"
}
variable "b" { type = string }
variable "c" { type = string }
variable "d" { type = list(number) }
variable "e" {
  type = object({ name = string, size = optional(string, "1GiB") })
}

workload "web" {
  memory { size = var.e.size }
  container {
    image = "registry.example/web:1"
    env   = { A = var.a, B = var.b, C = var.c, D = join("-", var.d), E = var.e.name }
  }
}
