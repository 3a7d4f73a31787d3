# What is no class, no id, no address, no number and no distance.
image "guest" { kernel = "vmlinuz" }

workload "vm" {
  memory { size = "1GiB" }
  device "odd_class" { class = "gpu" }
  device "odd_id" { id = "8086" }
  device "odd_place" { pci = "3b:00.0" }
  device "odd_count" {
    class = "03"
    count = 0
  }
  device "odd_near" {
    class = "03"
    near  = "rack"
  }
  kvm { image = image.guest }
}
