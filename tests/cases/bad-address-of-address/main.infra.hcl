# An address that follows from a planned one comes too late to be obeyed.
host "r1" {}

network "lan" { subnet = "10.1.0.0/24" }

workload "web" {
  interface "lan" {
    network = network.lan
    address = workload.db.address
  }
  container { image = "registry.example/web:1" }
}

workload "db" {
  interface "lan" { network = network.lan }
  container { image = "registry.example/db:1" }
}

network "late" { subnet = "${cidrhost("10.2.0.0/16", parseint(split(".", workload.db.address)[3], 10) * 256)}/24" }

workload "late" {
  interface "late" { network = network.late }
  container { image = "registry.example/late:1" }
}
