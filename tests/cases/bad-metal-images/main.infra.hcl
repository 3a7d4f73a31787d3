# Images of the wrong kind, and two versions of one package on one host.
host "r1" {}

image "feed" { files = "feed.tar.gz" }
image "redis" { disk = "feed.tar.gz" }

workload "feed" {
  bare_metal {
    image = image.redis
    exec  = ["bin/feed"]
  }
}

workload "box" {
  container { image = image.feed }
}

workload "vm" {
  memory { size = "64MiB" }
  kvm { image = image.feed }
}

workload "a" {
  bare_metal {
    packages = { redis-server = "1" }
    exec     = ["/usr/bin/redis-server"]
  }
}

workload "b" {
  bare_metal {
    packages = { redis-server = "2" }
    exec     = ["/usr/bin/redis-server"]
  }
}
