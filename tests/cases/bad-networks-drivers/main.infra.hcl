# Words that contradict each other.
host "r1" {}

network "bridge" {
  subnet   = "10.90.0.0/24"
  parent   = "eth0"
  mode     = "l2"
  gateway6 = "fd00::1"
  options  = { parent = "eth1" }
  labels   = { "infra.project" = "x" }
}
network "nowhere" {
  subnet  = "10.91.0.0/24"
  driver  = "macvlan"
  mode    = "l3"
  subnet6 = "fd00::/64"
  gateway6 = "fd01::1"
}
volume "data" {
  driver = ""
}
workload "web" {
  interface "bridge" {
    network = network.bridge
    aliases = ["a b"]
  }
  container { image = "registry.example/web:1" }
}
