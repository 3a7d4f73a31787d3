# Whoever is left on his CPUs has them: nobody else gets them, whatever is asked for now.
host "r1" {}

workload "own" {
  cpus { count = 1 }
  container { image = "registry.example/own:1" }
  lifecycle { ignore_changes = [cpus] }
}
workload "vm" {
  cpus {
    count  = 1
    policy = "dedicated"
  }
  memory { size = "128MiB" }
  kvm { image = image.kernel }
  lifecycle { ignore_changes = [cpus] }
}
workload "newcomer" {
  cpus {
    count  = 1
    policy = "dedicated"
  }
  container { image = "registry.example/newcomer:1" }
}
image "kernel" { kernel = "vmlinuz" }
