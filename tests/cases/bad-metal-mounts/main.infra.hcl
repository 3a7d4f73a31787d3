# Mounts of nothing, at no place, with what is no option.
host "r1" {}

workload "feed" {
  bare_metal {
    exec = ["/usr/bin/feed"]

    mount "/" { source = "/dev/vdb" }
    mount "srv/data" { source = "/dev/vdb" }
    mount "/srv/../etc" { source = "/dev/vdb" }
    mount "/srv/none" {}
    mount "/srv/memory" {
      source = "/dev/vdb"
      type   = "tmpfs"
    }
    mount "/srv/options" {
      source  = "/dev/vdb"
      options = ["noatime,ro", "size = 1"]
    }
  }
}
