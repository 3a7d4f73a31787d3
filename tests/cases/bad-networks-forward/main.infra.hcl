# A way outside that there cannot be, or that is written twice.
host "r1" {}

network "office" {
  subnet  = "192.0.2.0/24"
  driver  = "macvlan"
  parent  = "ens1"
  forward = "route"
}
network "inner" {
  subnet   = "10.92.0.0/24"
  internal = true
  forward  = "route"
}
network "twice" {
  subnet  = "10.93.0.0/24"
  forward = "route"
  options = { "com.docker.network.bridge.enable_ip_masquerade" = "true" }
}
