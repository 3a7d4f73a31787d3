# The first size of pages that is to be had, and which that was.
host "r1" {}

image "guest" { kernel = "vmlinuz" }

workload "six" {
  memory {
    size      = "6GiB"
    page_size = ["1GiB", "2MiB", "default"]
  }
  kvm { image = image.guest }
}

workload "five" {
  memory {
    size      = "5GiB"
    page_size = ["1GiB", "2MiB", "default"]
  }
  kvm { image = image.guest }
}

workload "half" {
  memory {
    size      = "512MiB"
    page_size = ["512MiB", "2MiB"]
  }
  kvm { image = image.guest }
}
