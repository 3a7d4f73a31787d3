# Names of a network: its machines' own, and records beside them.
host "r1" {}

network "lan" {
  subnet = "10.91.0.0/24"
  dhcp {
    host "printer" {
      mac     = "52:54:00:12:34:01"
      address = "10.91.0.50"
    }
  }
  dns {
    host "db" { address = "10.91.0.60" }
    host "db.example.org" { address = "10.91.0.60" }
    txt "note" { value = "v=1; of all" }
    srv "_sip._tcp.example.org" {
      target "db.example.org" {
        port     = 5060
        priority = 10
      }
      target "b.example.org" { port = 5060 }
    }
  }
}
network "quiet" {
  subnet   = "10.92.0.0/24"
  internal = true
  dns {}
}

image "kernel" { kernel = "vmlinuz" }

workload "vm" {
  memory { size = "256MiB" }
  interface "lan" { network = network.lan }
  interface "quiet" { network = network.quiet }
  kvm {
    image = image.kernel
    seed  = true
  }
}
