# What must be written and is not.
host "r1" {}

network "lan" {}

workload {
  container {}
}

workload "web" {
  interface "lan" {}
  disk {}
  container {
    port { host = 80 }
    mount {}
  }
}
