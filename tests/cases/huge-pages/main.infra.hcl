# Pages come from the pools of one node, ordinary memory is not counted twice for them.
host "r1" {}

image "guest" { kernel = "vmlinuz" }

workload "large" {
  cpus {
    count  = 2
    policy = "dedicated"
  }
  memory {
    size      = "4GiB"
    page_size = "1GiB"
  }
  kvm { image = image.guest }
}

workload "larger" {
  memory {
    size      = "5GiB"
    page_size = "1GiB"
  }
  kvm { image = image.guest }
}

workload "small_pages" {
  memory {
    size      = "512MiB"
    page_size = "2MiB"
  }
  kvm { image = image.guest }
}
