# A device that is free, and cannot go without a disk that the host works with: the IOMMU cannot tell them apart.
host "r1" {}

image "guest" { kernel = "vmlinuz" }

workload "render" {
  memory { size = "1GiB" }
  device "gpu" { pci = "0000:43:00.0" }
  kvm { image = image.guest }
}
