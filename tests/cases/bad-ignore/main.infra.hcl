# What cannot be ignored is said at the declaration, with what can be.
host "r1" {}

network "lan" {
  subnet = "10.90.0.0/24"
  lifecycle { ignore_changes = [subnet] }
}
workload "web" {
  count = 2
  container { image = "registry.example/web:1" }
  lifecycle { ignore_changes = [container.command, container.environment, cpus.count, host] }
}
image "kernel" {
  kernel = "vmlinuz"
  lifecycle { ignore_changes = [kernel] }
}
