# The engine makes the bridge.
host "r1" {}

network "lan" {
  subnet = "10.91.0.0/24"
  dns {}
}
workload "web" {
  interface "lan" { network = network.lan }
  container { image = "registry.example/web@sha256:00000000000000000000000000000000000000000000000000000000000000aa" }
}
