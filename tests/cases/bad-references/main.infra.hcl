# References to what is not there.
host "r1" {}

network "lan" { subnet = "10.1.0.0/24" }

workload "web" {
  host       = host.r2
  depends_on = [workload.dbb]
  interface "lan" { network = network.lam }
  disk "data" {
    volume = volume.data
    mount  = "/data"
  }
  container {
    image = image.web
    env   = { DB = workload.db.adress, X = var.nothing, Y = local.nothing, Z = module.nothing.x }
  }
}

workload "db" {
  container { image = "registry.example/db:1" }
}
