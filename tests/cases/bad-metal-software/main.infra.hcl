# What no host would unpack or install, and programs that are nowhere.
host "r1" {}

image "up" { files = "up.tar.gz" }
image "outside" { files = "outside.tar" }
image "through" { files = "through.tar" }
image "pipe" { files = "pipe.tar" }
image "text" { files = "text.tar.gz" }
image "cut" { files = "cut.tar.gz" }
image "missing" { files = "missing.tar" }

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
    image       = image.up
    exec        = ["../bin/feed"]
    working_dir = "./bin"
  }
}
