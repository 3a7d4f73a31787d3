# Whom DHCP tells an address: the machines, and others. It changes in place.
host "r1" {}

network "lan" {
  subnet = "10.91.0.0/24"
  dhcp {
    host "printer" {
      mac     = "52:54:00:12:34:56"
      address = "10.91.0.3"
    }
  }
}
image "disk" { disk = "guest.raw" }

workload "vm" {
  count = 1
  memory { size = "256MiB" }
  interface "lan" { network = network.lan }
  kvm { image = image.disk }
}
