# QEMU's own threads have CPUs of their own, on the node of the vCPUs and beside isolated cores.
host "r1" {}

image "guest" { kernel = "vmlinuz" }

workload "vm" {
  cpus {
    count   = 1
    policy  = "dedicated"
    threads = "isolate"
  }
  memory { size = "2GiB" }
  kvm {
    image         = image.guest
    emulator_cpus = 2
    iothreads     = 1
  }
}
