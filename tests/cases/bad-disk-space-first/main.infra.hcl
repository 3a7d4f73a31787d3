# The project's pool is still to be made: no room on the disk it will be on.
host "r1" {}

image "guest" { kernel = "vmlinuz" }

workload "vm" {
  memory { size = "1GiB" }
  disk "data" { size = "40GiB" }
  kvm { image = image.guest }
}
