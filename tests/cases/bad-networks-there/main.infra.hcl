# What a network on a bridge or device of the host cannot be, nor the NICs in it.
host "r1" {}

network "unnamed" {
  subnet  = "10.90.0.0/24"
  forward = "bridge"
}
network "served" {
  subnet  = "10.91.0.0/24"
  forward = "bridge"
  bridge  = "br0"
  dhcp {}
  dns {}
}
network "closed" {
  subnet   = "10.92.0.0/24"
  forward  = "bridge"
  bridge   = "br1"
  internal = true
}
network "vf-mode" {
  subnet = "10.93.0.0/24"
  driver = "sriov"
  parent = "ens2f0"
  mode   = "bridge"
}
network "long" {
  subnet = "10.94.0.0/24"
  driver = "sriov"
  parent = "a-name-that-is-too-long"
}
network "nowhere" {
  subnet = "10.95.0.0/24"
  driver = "sriov"
}
