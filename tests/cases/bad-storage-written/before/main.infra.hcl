host "r1" {}

volume "data" { size = "1GiB" }

workload "writer" {
  memory { size = "1GiB" }
  disk "data" { volume = volume.data }
  kvm {}
}
