host "r1" {}

volume "format" { size = "1GiB" }
volume "asked" { size = "1GiB" }
volume "allocation" { size = "1GiB" }

workload "vm" {
  memory { size = "1GiB" }
  disk "format" { volume = volume.format }
  disk "asked" { volume = volume.asked }
  disk "allocation" { volume = volume.allocation }
  disk "own" { size = "1GiB" }
  kvm {}
}
