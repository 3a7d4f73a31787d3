# What no host would install, and programs that are nowhere.
host "r1" {}

image "feed" { files = "feed.tar.gz" }

workload "names" {
  bare_metal {
    packages = {
      "Redis"       = "1"
      "redis=7"     = "1"
      memcached     = "latest"
      "../../etc/x" = "1"
    }
    exec = ["/usr/bin/redis-server"]
  }
}

workload "programs" {
  bare_metal {
    exec         = ["bin/feed"]
    working_dir  = "bin"
    health_check = ["feed"]
  }
}

workload "inside" {
  bare_metal {
    image        = image.feed
    exec         = ["../bin/feed"]
    health_check = ["./bin/feed"]
  }
}
