# What no host would unpack.
host "r1" {}

image "up" { files = "up.tar.gz" }
image "outside" { files = "outside.tar" }
image "through" { files = "through.tar" }
image "pipe" { files = "pipe.tar" }
image "text" { files = "text.tar.gz" }
image "cut" { files = "cut.tar.gz" }
image "missing" { files = "missing.tar" }
