# All else of a host is kept off the CPUs that workloads have to themselves; a container that has some is not among all else.
host "r1" { housekeeping = true }

image "guest" { kernel = "vmlinuz" }

workload "alone" {
  cpus {
    count   = 1
    policy  = "dedicated"
    threads = "isolate"
  }
  memory { size = "1GiB" }
  kvm { image = image.guest }
}

workload "contained" {
  cpus {
    count  = 1
    policy = "dedicated"
  }
  container { image = "registry.example/web@sha256:00000000000000000000000000000000000000000000000000000000000000aa" }
}

workload "shared" {
  container { image = "registry.example/web@sha256:00000000000000000000000000000000000000000000000000000000000000aa" }
}
