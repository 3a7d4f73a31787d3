# The engine makes the bridge, and has no DHCP.
host "r1" {}

network "web" {
  subnet = "10.92.0.0/24"
  dhcp {}
}
workload "c" {
  interface "web" { network = network.web }
  container { image = "registry.example/web:1" }
}
