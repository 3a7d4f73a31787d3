host "r1" {}

pool "files" { path = "/srv/files" }

volume "data" {
  size = "1GiB"
  pool = pool.files
}

workload "vm" {
  memory { size = "1GiB" }
  disk "data" { volume = volume.data }
  kvm {}
}
