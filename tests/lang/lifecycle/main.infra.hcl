network "lan" {
  subnet = "10.0.0.0/24"
  lifecycle {
    prevent_destroy = true
    precondition {
      condition     = 1 < 2
      error_message = "Arithmetic is broken."
    }
  }
}

workload "a" {
  count = 1
  memory {
    size = "1GiB"
  }
  lifecycle {
    ignore_changes = [env["PATH"], memory.size, cpus]
  }
}

workload "b" {
  memory {
    size = "1GiB"
  }
  lifecycle {
    ignore_changes = all
  }
}
