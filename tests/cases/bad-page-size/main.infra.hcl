# Sizes that are no whole number of pages.
host "r1" {}

image "guest" { kernel = "vmlinuz" }

workload "uneven" {
  memory {
    size      = "1500MiB"
    page_size = "1GiB"
  }
  kvm { image = image.guest }
}

workload "zero" {
  memory {
    size      = "1GiB"
    page_size = "0GiB"
  }
  kvm { image = image.guest }
}
