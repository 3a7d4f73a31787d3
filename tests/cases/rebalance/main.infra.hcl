# Who was parted over two nodes comes together on the one that has room by now, and a host that one workload needs alone
# is emptied.
host "r1" {}
host "small" {}

workload "database" {
  cpus {
    count  = 4
    policy = "dedicated"
  }
  container { image = "registry.example/database:1" }
}

workload "lone" {
  container { image = "registry.example/lone:1" }
}
