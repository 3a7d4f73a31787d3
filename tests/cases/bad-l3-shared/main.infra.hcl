# Shared CPUs have no cache of their own, and their machine's emulator no CPUs.
host "r1" {}

image "guest" { kernel = "vmlinuz" }

workload "shared" {
  cpus {
    count = 2
    l3    = "require"
  }
  memory { size = "1GiB" }
  kvm {
    image         = image.guest
    emulator_cpus = 1
  }
}
