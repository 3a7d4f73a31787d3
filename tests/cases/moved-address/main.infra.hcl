# What is declared elsewhere now keeps its names, its place and its data: nothing is touched. By way of another, into a
# module, from `count` to `for_each`; the module itself has moved before.
host "r1" {}
network "net" { subnet = "10.9.0.0/24" }
moved {
  from = network.lan
  to   = network.net
}
volume "store" { size = "1GiB" }
moved {
  from = volume.data
  to   = volume.store
}

workload "b" {
  interface "lan" { network = network.net }
  disk "data" {
    volume = volume.store
    mount  = "/data"
  }
  container { image = "registry.example/a:1" }
}
moved {
  from = workload.between
  to   = workload.b
}
moved {
  from = workload.a
  to   = workload.between
}

workload "web" {
  for_each = toset(["first", "second"])
  container { image = "registry.example/a:1" }
}
moved {
  from = workload.web[0]
  to   = workload.web["first"]
}
moved {
  from = workload.web[1]
  to   = workload.web["second"]
}

module "m" {
  source = "./m"
  net    = network.net
}
moved {
  from = workload.vm
  to   = module.former.workload.vm
}
moved {
  from = module.former
  to   = module.m
}
moved {
  from = image.vm
  to   = module.m.image.vm
}

output "name" { value = workload.b.name }
