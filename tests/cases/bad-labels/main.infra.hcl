# Labels of disks and interfaces become parts of daemons' names.
host "r1" {}

network "lan" { subnet = "10.80.0.0/24" }

workload "odd" {
  interface "../lan" { network = network.lan }
  disk "x y" { mount = "/x" }
  container { image = "docker.io/library/x:1" }
}
