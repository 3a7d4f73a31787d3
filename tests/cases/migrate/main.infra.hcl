# What runs leaves a host that is emptied while it runs, with its places over there; what cannot says why; who did not ask
# is started anew.
host "r1" {
  address = "root@r1"
  drain   = true
}
host "r2" {
  address           = "root@r2"
  migration_address = "r2.storage.example"
}
host "r3" { address = "root@r3" }

image "guest" { kernel = "vmlinuz" }

workload "db" {
  host = host.r2
  cpus {
    count  = 2
    policy = "dedicated"
  }
  numa { nodes = 1 }
  memory { size = "1GiB" }
  needs { live_migration = "high" }
  kvm { image = image.guest }
}

workload "old" {
  memory { size = "256MiB" }
  kvm {
    image = image.guest
    migration {
      downtime  = "500ms"
      bandwidth = "100MiB"
      post_copy = true
    }
  }
  host = host.r3
}

workload "plain" {
  memory { size = "256MiB" }
  kvm { image = image.guest }
  host = host.r2
}
