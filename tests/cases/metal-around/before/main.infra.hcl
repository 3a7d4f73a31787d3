host "r1" {}

slice "desk" {
  memory     = "1GiB"
  cpu_weight = 500
}

workload "feed" {
  bare_metal {
    slice = slice.desk
    exec  = ["/usr/bin/feed"]

    mount "/srv/my-data" {
      source = "LABEL=data"
      type   = "ext4"
    }
  }
}

workload "batch" {
  bare_metal {
    slice = slice.desk
    exec  = ["/usr/bin/batch"]
  }
}
