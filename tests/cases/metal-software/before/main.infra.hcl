host "r1" {}

image "feed" { files = "feed.tar.gz" }

workload "feed" {
  bare_metal {
    image = image.feed
    exec  = ["bin/feed"]
  }
}

workload "cache" {
  bare_metal {
    packages = { redis-server = "5:7.0.15-1~deb12u1" }
    exec     = ["/usr/bin/redis-server"]
  }
}
