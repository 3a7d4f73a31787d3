# `all`: nothing differs, also of what only the found one has; it stays where it is and as what it is.
host "r1" {}

image "kernel" { kernel = "vmlinuz" }

workload "c" {
  container {
    image = "registry.example/c:1"
    env   = { ONE = "one" }
  }
  lifecycle { ignore_changes = all }
}
workload "vm" {
  cpus { set = "2-3" }
  memory { size = "256MiB" }
  kvm { image = image.kernel }
  lifecycle { ignore_changes = all }
}
