# A secret is a digest wherever it goes: environment, command, user data, kernel command line, outputs.
infra { project = "vault" }

host "r1" {}

variable "password" {
  type      = string
  sensitive = true
}

variable "token" {
  type      = string
  sensitive = true
}

image "guest" { kernel = "vmlinuz" }
image "disk" { disk = "guest.raw" }

workload "db" {
  container {
    image   = "registry.example/db:1"
    command = ["db", "--token", var.token]
    env     = { PASSWORD = var.password, URL = "db://admin:${var.password}@localhost", PLAIN = "seen" }
  }
}

workload "direct" {
  memory { size = "1GiB" }
  kvm {
    image   = image.guest
    cmdline = "quiet token=${var.token}"
  }
}

workload "seeded" {
  memory { size = "1GiB" }
  kvm {
    image     = image.disk
    user_data = templatefile("user-data.tftpl", { password = var.password })
  }
}

output "password" {
  value     = var.password
  sensitive = true
}
