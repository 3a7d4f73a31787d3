# Another content is another volume: who boots it restarts with it, and the old one goes.
host "r1" {}

image "kernel" { kernel = "vmlinuz" }

workload "vm" {
  memory { size = "512MiB" }
  kvm { image = image.kernel }
}
