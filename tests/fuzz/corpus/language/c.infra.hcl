# Everything a machine can be told.
host "r1" {
  libvirt {
    uri       = "qemu:///system"
    pool_path = "/srv/machines"
  }
}

network "lan" { subnet = "10.91.0.0/24" }
image "disk" { disk = "guest.raw" }

workload "vm" {
  cpus {
    count   = 2
    policy  = "dedicated"
    threads = "require"
  }
  memory {
    size      = "2GiB"
    page_size = "1GiB"
    nodes     = "1"
  }
  interface "lan" {
    network = network.lan
    address = "10.91.0.10"
  }
  disk "data" {
    size      = "4GiB"
    read_only = true
  }
  kvm {
    image     = image.disk
    root_size = "8GiB"
    user_data = "#cloud-config\npackages: [nginx]\n"
    autostart = false
  }
}
