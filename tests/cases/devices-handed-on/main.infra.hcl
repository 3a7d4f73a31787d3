# What one lets go another gets, once it is gone.
host "r1" {
  fabric "storage" { parents = ["ens1f0", "0000:bd:00.0"] }
}

image "guest" { kernel = "vmlinuz" }

workload "new" {
  memory { size = "1GiB" }
  device "gpu" {
    id    = "10de:20b0"
    count = 2
  }
  kvm { image = image.guest }
}
