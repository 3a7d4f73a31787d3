# What is there once cannot be made before it is destroyed.
host "r1" {}

network "lan" {
  subnet = "10.70.0.0/24"
  lifecycle { create_before_destroy = true }
}

volume "data" {
  lifecycle { create_before_destroy = true }
}

image "guest" {
  kernel = "vmlinuz"
  lifecycle { create_before_destroy = true }
}

workload "vm" {
  memory { size = "1GiB" }
  lifecycle { create_before_destroy = true }
  kvm { image = image.guest }
}
