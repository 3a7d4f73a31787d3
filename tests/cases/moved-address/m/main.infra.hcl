variable "net" {}
workload "machine" {
  memory { size = "64MiB" }
  interface "lan" { network = var.net }
  kvm { image = image.vm }
}
image "vm" { kernel = "vmlinuz" }
moved {
  from = workload.vm
  to   = workload.machine
}
