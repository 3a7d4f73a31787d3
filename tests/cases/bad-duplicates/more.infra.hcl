workload "web" {
  container { image = "registry.example/a:1" }
}

workload "twice" {
  interface "lan" { network = network.lan }
  interface "lan" { network = network.lan }
  disk "data" { mount = "/a" }
  disk "data" { mount = "/b" }
  container { image = "registry.example/a:1" }
  container { image = "registry.example/b:1" }
}

output "x" { value = 1 }
output "x" { value = 2 }
