variable "inner" {
  nullable = false
}

variable "typed" {
  type = number
}
