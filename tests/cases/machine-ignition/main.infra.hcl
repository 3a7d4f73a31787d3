# Ignition is told by the firmware; a change of what it is told restarts the machine. A secret in it stays one.
host "r1" {
  libvirt { uri = "qemu:///system" }
}

variable "password_hash" {
  default   = "hunter2"
  sensitive = true
}

workload "changed" {
  memory { size = "1GiB" }
  disk "root" { size = "1GiB" }
  kvm {
    ignition = jsonencode({ ignition = { version = "3.4.0" }, storage = {} })
  }
}

workload "new" {
  memory { size = "1GiB" }
  disk "root" { size = "1GiB" }
  kvm {
    ignition = jsonencode({
      ignition = { version = "3.4.0" }
      passwd   = { users = [{ name = "core", passwordHash = var.password_hash }] }
    })
  }
}
