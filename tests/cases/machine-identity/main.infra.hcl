# What others know a machine by is written. What is derived makes way for a MAC that is.
host "r1" {
  libvirt { uri = "qemu:///system" }
}

network "lan" {
  subnet = "10.77.0.0/24"
  uuid   = "5b0f5b64-3a02-4bd9-a2a7-6a9f4d2f7a5e"
}

workload "known" {
  memory { size = "1GiB" }
  interface "lan" {
    network = network.lan
    mac     = "52:54:00:ae:00:01"
  }
  disk "root" { size = "1GiB" }
  kvm {
    uuid        = "1b4e28ba-2fa1-4d2e-883f-0016d3cca427"
    console_log = "none"
    cpu {
      mode  = "custom"
      model = "EPYC"
      check = "none"
    }
  }
}

workload "logged" {
  memory { size = "1GiB" }
  disk "root" { size = "1GiB" }
  kvm { console_log = "/srv/logged.log" }
}
