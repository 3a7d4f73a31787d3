# A disk with data that would lie in another pool is not made anew there.
host "r1" {}

pool "files" { path = "/srv/files" }

volume "data" {
  size = "1GiB"

}

workload "vm" {
  memory { size = "1GiB" }
  disk "data" { volume = volume.data }
  kvm {}
}
