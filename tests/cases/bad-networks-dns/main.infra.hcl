# Records that nobody could be answered with.
host "r1" {}

network "lan" {
  subnet = "10.91.0.0/24"
  dns {
    host "two words" { address = "10.91.0.60" }
    host "db" { address = "10.91.0.60" }
    txt "note" { value = "one, two" }
    txt "empty" { value = "" }
    srv "sip.tcp.example.org" {
      target "a..b" { port = 5060 }
    }
    srv "_sip._sctp.example.org" {
      target "db" { port = 5060 }
    }
    srv "_sip._tcp" {
      target "db" { port = 5060 }
    }
    srv "_sip._udp.example.org" {}
  }
}
