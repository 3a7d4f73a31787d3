host "r1" {}

network "lan" { subnet = "10.91.0.0/24" }
network "wan" { subnet = "10.92.0.0/24" }
image "kernel" { kernel = "vmlinuz" }

workload "vm" {
  memory { size = "128MiB" }
  interface "lan" { network = network.lan }
  disk "data" { size = "4GiB" }
  kvm {
    image     = image.kernel
    cmdline   = "quiet"
    user_data = "#cloud-config\nold: true\n"
  }
}
