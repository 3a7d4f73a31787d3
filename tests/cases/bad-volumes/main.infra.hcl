# A volume is on one host, in one runtime, and somebody's.
host "r1" {}
host "small" {}

image "guest" { kernel = "vmlinuz" }

volume "here" { host = host.small }
volume "both" { size = "1GiB" }
volume "nobody" {}

workload "elsewhere" {
  host = host.r1
  disk "data" {
    volume = volume.here
    mount  = "/data"
  }
  container { image = "registry.example/a:1" }
}

workload "container" {
  host = host.r1
  disk "data" {
    volume = volume.both
    mount  = "/data"
  }
  container { image = "registry.example/a:1" }
}

workload "machine" {
  host = host.r1
  memory { size = "1GiB" }
  disk "data" { volume = volume.both }
  kvm { image = image.guest }
}
