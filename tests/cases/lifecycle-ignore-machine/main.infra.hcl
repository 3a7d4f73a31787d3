# Of a machine: its command line, its seed, its memory, its interfaces and its disks stay as they are.
host "r1" {}

network "lan" { subnet = "10.91.0.0/24" }
network "wan" { subnet = "10.92.0.0/24" }
image "kernel" { kernel = "vmlinuz" }

workload "vm" {
  memory { size = "256MiB" }
  interface "wan" { network = network.wan }
  disk "data" { size = "8GiB" }
  kvm {
    image     = image.kernel
    cmdline   = "loud"
    user_data = "#cloud-config\nnew: true\n"
    autostart = false
  }
  lifecycle {
    ignore_changes = [disk, interface, kvm.autostart, kvm.cmdline, kvm.user_data, memory.size]
  }
}
