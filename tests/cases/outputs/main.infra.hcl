# Outputs of every kind, and what becomes of them when nothing else changes.
host "r1" {}

network "lan" { subnet = "10.60.0.0/24" }

workload "web" {
  interface "lan" { network = network.lan }
  container { image = "registry.example/web:1" }
}

output "address" { value = workload.web.address }
output "addresses" { value = workload.web.addresses }
output "name" { value = workload.web.name }
output "number" { value = 6 * 7 }
output "nothing" { value = null }
output "list" { value = ["a", { b = true }] }
