# Two at a time, each pair when the one before is ready. What is new waits for nobody; the machines wait for nothing but
# to run.
host "r1" {}

image "guest" { kernel = "vmlinuz" }

workload "web" {
  count = 5
  update { max_parallel = 2 }
  container {
    image = "registry.example/web:1"
  }
}

workload "vm" {
  for_each = toset(["a", "b"])
  memory { size = "1GiB" }
  update { wait = "running" }
  kvm { image = image.guest }
}
