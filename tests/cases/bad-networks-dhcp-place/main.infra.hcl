# An address that somebody else is told.
host "r1" {}

network "lan" {
  subnet = "10.91.0.0/24"
  dhcp {
    host "printer" {
      mac     = "52:54:00:12:34:01"
      address = "10.91.0.2"
    }
  }
}
image "disk" { disk = "guest.raw" }
workload "vm" {
  memory { size = "256MiB" }
  interface "lan" {
    network = network.lan
    address = "10.91.0.2"
  }
  kvm { image = image.disk }
}
