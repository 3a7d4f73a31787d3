# When validating, variables without a value are unknown, and so is what depends on them.

variable "amount" {
  type = number
}

variable "names" {
  type = set(string)
}

variable "size" {
  type = string
  validation {
    condition     = endswith(var.size, "GiB")
    error_message = "Must be whole gibibytes."
  }
}

variable "blocks" {
  type = list(string)
}

network "lan" {
  subnet = "10.0.0.0/24"
}

workload "counted" {
  count = var.amount
  env   = { I = count.index }
  memory {
    size = var.size
  }
}

workload "each" {
  for_each = var.names
  env      = { K = each.key, OTHER = workload.counted[0].memory.size }
  memory {
    size = var.size
  }
  dynamic "interface" {
    for_each = var.blocks
    labels   = [interface.value]
    content {
      network = network.lan
    }
  }
}

output "all" {
  value = [for w in workload.each : w.env["K"]]
}
