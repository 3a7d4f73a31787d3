# No disk with data is made anew for another format or allocation, but the one that a person asks for.
host "r1" {}

volume "format" {
  size   = "1GiB"
  format = "raw"
}

volume "asked" {
  size   = "1GiB"
  format = "raw"
}

volume "allocation" {
  size       = "1GiB"
  allocation = "full"
}

workload "vm" {
  memory { size = "1GiB" }
  disk "format" { volume = volume.format }
  disk "asked" { volume = volume.asked }
  disk "allocation" { volume = volume.allocation }
  disk "own" {
    size   = "1GiB"
    format = "raw"
  }
  kvm {}
}
