# A machine is waited for until its guest is up.
host "r1" {
  libvirt { uri = "qemu:///system" }
}

network "lan" {
  subnet = "10.91.0.0/24"
  dhcp {}
}

workload "vm" {
  memory { size = "1GiB" }
  interface "lan" { network = network.lan }
  disk "root" { size = "1GiB" }
  timeouts { ready = "5m" }
  kvm {
    agent     = true
    user_data = "#cloud-config\n"
    ready {
      agent      = true
      lease      = true
      port       = 22
      console    = "login:"
      cloud_init = true
    }
  }
}

workload "after" {
  memory { size = "1GiB" }
  disk "root" { size = "1GiB" }
  kvm {}
  depends_on = [workload.vm]
}
