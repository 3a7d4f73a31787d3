# What is excluded from a removal stays with all it stands on.
host "r1" {}

network "lan" { subnet = "10.73.0.0/24" }

workload "db" {
  interface "lan" { network = network.lan }
  disk "data" { mount = "/data" }
  container { image = "registry.example/db:1" }
}

workload "web" {
  depends_on = [workload.db]
  interface "lan" { network = network.lan }
  container { image = "registry.example/web:1" }
}

workload "alone" {
  interface "lan" { network = network.lan }
  container { image = "registry.example/db:1" }
}

output "db" { value = workload.db.name }
output "alone" { value = workload.alone.name }
