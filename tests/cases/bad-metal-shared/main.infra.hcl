# What two workloads of a host cannot both have, and a node that is not one.
host "r1" {}

workload "a" {
  bare_metal {
    exec = ["/usr/bin/a"]
    mount "/srv/data" { source = "/dev/vdb" }
  }
}

workload "b" {
  bare_metal {
    exec = ["/usr/bin/b"]
    mount "/srv/data" { source = "/dev/vdc" }
  }
}

workload "wide" {
  cpus { count = 2 }
  memory {
    size = "64MiB"
    mode = "preferred"
  }
  numa { nodes = 2 }
  bare_metal { exec = ["/usr/bin/wide"] }
}
