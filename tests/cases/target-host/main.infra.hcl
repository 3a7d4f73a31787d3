# A host stands for all that is on it, comes to it or leaves it.
host "r1" {}
host "small" {}

workload "stays" {
  host = host.small
  container { image = "registry.example/a:2" }
}
workload "moves" {
  host = host.r1
  container { image = "registry.example/a:1" }
}
workload "new" {
  runtime = "kvm"
  memory { size = "64MiB" }
  kvm { image = image.vm }
}
image "vm" { kernel = "vmlinuz" }
