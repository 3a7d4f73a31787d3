# What lies in another pool has its room there.
host "r1" {}

pool "full" { existing = "full" }
pool "big" { existing = "big" }

workload "vm" {
  memory { size = "1GiB" }
  disk "large" {
    size = "1GiB"
    pool = pool.full
  }
  disk "fits" {
    size = "100GiB"
    pool = pool.big
  }
  kvm {}
}
