# Pools that the host cannot have: a node that is not there, more than there is, a size that its kernel does not know.
host "r1" {
  hugepages "2MiB" {
    nodes = {
      "1" = 4000000
      "7" = 1
    }
  }
  hugepages "64KiB" { per_node = 1 }
}
