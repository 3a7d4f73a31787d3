# Pools and settings that no host has, or that nobody could mean.
host "r1" {
  tuned {
    profile   = "virtual host"
    variables = { x = "[a]" }
  }
  hugepages "2MiB" {
    per_node = 512
    nodes    = { "7" = 1, "1" = 4000000, "x" = 1 }
  }
  hugepages "large" { per_node = 1 }
  hugepages "64KiB" { per_node = 1 }
  hugepages "1GiB" {}
  kernel {
    ksm                   = false
    numa_balancing        = false
    sysctl = {
      "kernel.numa_balancing" = "1"
      "../etc/passwd" = "x"
    }
  }
}
