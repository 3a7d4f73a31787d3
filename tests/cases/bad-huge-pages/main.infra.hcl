# Pages the host has not, or not so many on one node; sizes that are no whole number of pages.
host "r1" {}

image "guest" { kernel = "vmlinuz" }

workload "too_many" {
  memory {
    size      = "8GiB"
    page_size = "1GiB"
  }
  kvm { image = image.guest }
}

workload "no_such_size" {
  memory {
    size      = "512MiB"
    page_size = "64KiB"
  }
  kvm { image = image.guest }
}
