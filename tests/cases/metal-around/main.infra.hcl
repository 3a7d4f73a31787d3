# A slice changes under what is in it, a mount restarts who needs it, and who leaves a slice is started anew.
host "r1" {}

slice "desk" {
  cpu_weight = 800
  io_weight  = 200
  pids       = 1000
}

workload "feed" {
  bare_metal {
    slice = slice.desk
    exec  = ["/usr/bin/feed"]

    mount "/srv/my-data" {
      source  = "LABEL=data"
      type    = "ext4"
      options = ["noatime"]
    }
    mount "/srv/scratch" {
      type    = "tmpfs"
      options = ["size=64M"]
    }
    mount "/srv/shared" {
      source    = "nas.example.net:/export/shared"
      read_only = true
    }
    mount "/srv/here" { source = "/var/lib/somewhere" }
  }
}

# Shares a mount.
workload "batch" {
  bare_metal {
    exec = ["/usr/bin/batch"]

    mount "/srv/scratch" {
      type    = "tmpfs"
      options = ["size=64M"]
    }
  }
}

# Its pages are of both nodes in turn.
workload "even" {
  cpus { count = 2 }
  memory {
    size = "64MiB"
    mode = "interleave"
  }
  numa { nodes = 2 }
  bare_metal { exec = ["/usr/bin/even"] }
}

# Of its node as long as that has any.
workload "near" {
  memory {
    size = "64MiB"
    mode = "preferred"
  }
  numa { nodes = 1 }
  bare_metal { exec = ["/usr/bin/near"] }
}
