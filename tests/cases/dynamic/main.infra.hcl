# Blocks that are made of values.
host "r1" {}

locals {
  ports = { http = 80, https = 443 }
  disks = ["logs", "spool"]
}

workload "web" {
  dynamic "disk" {
    for_each = local.disks
    labels   = [disk.value]
    content {
      mount = "/var/${disk.value}"
    }
  }
  container {
    image = "registry.example/web:1"
    dynamic "port" {
      for_each = local.ports
      content {
        container = port.value
        host      = 8000 + port.value
      }
    }
  }
}
