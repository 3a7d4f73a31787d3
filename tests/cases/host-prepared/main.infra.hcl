# The kernel is set before anything runs, and what is placed is placed on the host as it is then.
host "r1" {
  hugepages "2MiB" {
    per_node = 512
    nodes    = { "1" = 4096 }
  }
  tuned {
    profile   = "cpu-partitioning"
    variables = { isolated_cores = "2-3" }
  }
  kernel {
    transparent_hugepages = "madvise"
    ksm                   = false
    sysctl = {
      "vm.swappiness" = "10"
      "net.ipv4.tcp_rmem" = "4096  131072 6291456"
    }
  }
}
image "guest" { kernel = "vmlinuz" }
workload "vm" {
  numa { nodes = "1" }
  memory {
    size      = "6GiB"
    page_size = "2MiB"
  }
  kvm { image = image.guest }
}
