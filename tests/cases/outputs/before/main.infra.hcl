host "r1" {}

network "lan" { subnet = "10.60.0.0/24" }

workload "web" {
  interface "lan" { network = network.lan }
  container { image = "registry.example/web:1" }
}

output "address" { value = "10.60.0.99" }
output "gone" { value = "soon" }
