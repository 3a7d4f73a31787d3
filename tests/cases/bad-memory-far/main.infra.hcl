# CPUs of one node, memory of another: obeyed, and too much.
host "r1" {}
host "small" {}

image "guest" { kernel = "vmlinuz" }

workload "vm" {
  cpus {
    set = "2-3"
  }
  memory {
    size  = "12GiB"
    nodes = "0"
  }
  kvm { image = image.guest }
}
