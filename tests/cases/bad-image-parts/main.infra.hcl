# Disk images that name other files.
host "r1" {}

image "overlay" { disk = "overlay.qcow2" }
image "outside" { disk = "outside.qcow2" }
image "old" { disk = "old.qcow2" }
image "whole" { disk = "whole.qcow2" }

workload "vm" {
  memory { size = "1GiB" }
  kvm { image = image.overlay }
}
