# Hosts whose systemd cannot keep all else off, and one that would have nothing left.
host "old" { housekeeping = true }
host "bare" { housekeeping = true }
host "full" {
  housekeeping = true
  reserve {}
}

workload "all" {
  host = "full"
  cpus {
    count  = 2
    policy = "dedicated"
  }
  bare_metal { exec = ["/bin/sleep", "1"] }
}
