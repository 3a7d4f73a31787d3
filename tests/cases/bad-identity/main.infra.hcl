# One MAC of two NICs, one UUID of two machines, and a console that is waited for and written nowhere.
host "r1" {
  libvirt { uri = "qemu:///system" }
}

network "lan" { subnet = "10.77.0.0/24" }

workload "one" {
  memory { size = "1GiB" }
  interface "lan" {
    network = network.lan
    mac     = "52:54:00:ae:00:01"
  }
  disk "root" { size = "1GiB" }
  kvm { uuid = "1b4e28ba-2fa1-4d2e-883f-0016d3cca427" }
}

workload "other" {
  memory { size = "1GiB" }
  interface "lan" {
    network = network.lan
    mac     = "52:54:00:ae:00:01"
  }
  disk "root" { size = "1GiB" }
  kvm {
    uuid        = "1b4e28ba-2fa1-4d2e-883f-0016d3cca427"
    console_log = "none"
    ready { console = "login:" }
  }
}
