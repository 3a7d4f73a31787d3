# Nothing is known only after apply: names, UUIDs and addresses of one workload stand in another's environment.
host "r1" {}

network "lan" { subnet = "10.30.0.0/24" }
image "guest" { kernel = "vmlinuz" }

workload "db" {
  memory { size = "1GiB" }
  interface "lan" { network = network.lan }
  kvm {
    image   = image.guest
    cmdline = "console=ttyS0"
  }
}

workload "app" {
  interface "lan" { network = network.lan }
  container {
    image = "registry.example/app:1"
    env = {
      DB_HOST = workload.db.address
      DB_NAME = workload.db.name
      DB_UUID = workload.db.uuid
      DB_ALL  = jsonencode(workload.db.addresses)
    }
  }
}

workload "watcher" {
  container {
    image   = "registry.example/watch:1"
    command = ["watch", "http://${workload.app.address}:8080", workload.watcher_peer.address == null ? "alone" : "not alone"]
  }
}

workload "watcher_peer" {
  container { image = "registry.example/watch:1" }
}
