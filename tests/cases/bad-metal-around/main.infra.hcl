# Slices in which nothing could run, sources that are none, and a mode of nobody's memory.
host "r1" {}

slice "none" { memory = "0" }
slice "many" { cpu_weight = 20000 }

workload "feed" {
  bare_metal {
    exec = ["/usr/bin/feed"]

    mount "/srv/relative" { source = "data" }
    mount "/srv/export" { source = "nas:export" }
    mount "/srv/type" {
      source = "/dev/vdb"
      type   = "ext4\nOptions=suid"
    }
  }
}

workload "box" {
  memory { mode = "interleave" }
  container { image = "docker.io/library/redis:7" }
}
