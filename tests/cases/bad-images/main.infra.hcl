# Images of no source, of two, and of the wrong kind for who uses them.
host "r1" {}

image "nothing" {}
image "two" {
  disk    = "vmlinuz"
  archive = "web.tar"
}
image "stray" {
  disk      = "vmlinuz"
  initramfs = "vmlinuz"
}

image "pulled" {
  archive = "file.tar"
  pull    = "never"
}

image "foreign" {
  archive  = "file.tar"
  platform = "linux/arm64"
}

image "misspelt" {
  reference = "redis:7"
  platform  = "arm64"
}
