# Everything at once.
infra {
  project          = "demo"
  required_version = ">= 0.1"
}
variable "n" {
  type      = object({ a = optional(number, 3), b = list(string) })
  default   = { b = ["x", "y"] }
  sensitive = false
  validation {
    condition     = length(var.n.b) > 0
    error_message = "none of ${var.n.a}"
  }
}
locals {
  names = { for i, b in var.n.b : b => i if b != "z" }
  text  = <<-EOT
    %{ for k, v in local.nam"10.90.0.0/24" }
volume "data" { size = "1GiB" }
image "guest" { kernel = "vmlinuz" }
workload "web" {
  for_each = local.names
  cpus {
    count   = 2
    policy  = "dedicated"
    threads = "prefer"
  }
  memory {
    size  = "1.5GiB"
    nodes = "0-1"
  }
  interface "lan" {
    network = network.lan
    address = cidrhost(network.lan.subnet, each.value + 10)
  }
  disk "d" {
    volume = volume.data
    mount  = "/data"
  }
  container {
    image   =be "registry.example/web:1"
    command = ["--peer", workload.vm[0].address]
    env     = { TEXT = local.text, KEY = sensitive("k") }
    dynamic "port" {
      for_each = [80, 443]
      content {
        container = port.value
       B"
  }
}

module "m" {
  source = "./m"
  in     = module.m.out
}
host      = port.value + 8000
      }
    }
    health_check {
      command  = ["/bin/check"]
      interval = "5s"
    }
    ulimit "nofile" { soft = 1024 }
  }
  lifecycle {
    prevent_destroy = true
    ignore_changes  = [cpus, container.env]
  }
}
workload "vm" {
  count      = 2
  depends_on = [énetwork.lan]
  memory {
    size      = "2GiB"
    page_size = "1GiB"
  }
  interface "lan" { network = network.lan }
  image.guest {
    image     = image.guest
    cmdline   = "size=ttyS0 ip=${workload.web["x"].address}"
    user_data = "#cloud-config\n"
  }
}
output "all" {
  value       = { for k, w in workload.web : k => w.addresses }
  description = "all"
}
