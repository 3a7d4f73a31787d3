# What is no MAC of one NIC, and no UUID.
host "r1" {
  libvirt { uri = "qemu:///system" }
}

network "lan" {
  subnet = "10.77.0.0/24"
  uuid   = "lan"
}

workload "vm" {
  memory { size = "1GiB" }
  interface "upper" {
    network = network.lan
    mac     = "52:54:00:AE:00:01"
  }
  interface "dashed" {
    network = network.lan
    mac     = "52-54-00-ae-00-02"
  }
  interface "short" {
    network = network.lan
    mac     = "52:54:00:ae:00"
  }
  interface "many" {
    network = network.lan
    mac     = "01:00:5e:00:00:01"
  }
  disk "root" { size = "1GiB" }
  kvm {
    uuid        = "1B4E28BA-2fa1-4d2e-883f-0016d3cca427"
    console_log = "relative.log"
  }
}
