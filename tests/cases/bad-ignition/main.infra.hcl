# What Ignition could not read, and what is told twice.
host "r1" {
  libvirt { uri = "qemu:///system" }
}

variable "password_hash" {
  default   = "hunter2"
  sensitive = true
}

workload "both" {
  memory { size = "1GiB" }
  disk "root" { size = "1GiB" }
  kvm {
    ignition  = jsonencode({ ignition = { version = "3.4.0" } })
    user_data = "#cloud-config\n"
    seed      = true
  }
}

workload "yaml" {
  memory { size = "1GiB" }
  disk "root" { size = "1GiB" }
  kvm { ignition = "variant: fcos\n" }
}

workload "secret" {
  memory { size = "1GiB" }
  disk "root" { size = "1GiB" }
  kvm { ignition = jsonencode({ passwd = var.password_hash }) }
}
