# Other files beside the former ones, and another version of a package: who runs from them is started anew, and the former
# files go last.
host "r1" {}

image "feed" { files = "feed.tar.gz" }

workload "feed" {
  bare_metal {
    image = image.feed
    exec  = ["bin/feed"]
  }
}

# From the same files, in a folder of them.
workload "replay" {
  bare_metal {
    image        = image.feed
    exec         = ["bin/feed", "--from", "data"]
    working_dir  = "bin"
    health_check = ["bin/feed", "--check"]
  }
}

workload "cache" {
  bare_metal {
    packages = { redis-server = "5:7.2.4-1" }
    exec     = ["/usr/bin/redis-server"]
  }
}
