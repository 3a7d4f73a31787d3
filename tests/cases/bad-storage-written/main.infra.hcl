# What a running machine writes to is not copied: half of the copy would be older than the other.
host "r1" {}

volume "data" { size = "1GiB" }

workload "writer" {
  memory { size = "1GiB" }
  disk "data" { volume = volume.data }
  kvm {}
}

workload "reader" {
  memory { size = "1GiB" }
  disk "data" { copy_of = volume.data }
  kvm {}
}
