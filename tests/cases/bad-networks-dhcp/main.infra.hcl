# Whom DHCP cannot tell what is written.
host "r1" {}

network "lan" {
  subnet = "10.91.0.0/24"
  dhcp {
    host "outside" {
      mac     = "52:54:00:12:34:01"
      address = "10.92.0.2"
    }
    host "gateway" {
      mac     = "52:54:00:12:34:02"
      address = "10.91.0.1"
    }
    host "two" {
      mac     = "52:54:00:12:34:02"
      address = "10.91.0.3"
    }
    host "3" {
      mac     = "52:54:00:12:34:03"
      address = "10.91.0.4"
    }
  }
}
network "forms" {
  subnet = "10.93.0.0/24"
  dhcp {
    host "group" {
      mac     = "53:54:00:12:34:01"
      address = "10.93.0.2"
    }
    host "upper" {
      mac     = "52:54:00:AB:34:01"
      address = "10.93.0.3"
    }
  }
}
