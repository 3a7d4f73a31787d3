# Outputs.

variable "secret" {
  default   = "hush"
  sensitive = true
}

output "secret" {
  value = { inside = [var.secret] }
}

output "none" {
}

output "said" {
  value      = 1
  sensitve   = true
  depends_on = "workload.a"
}
