# A workload that must go to another host is made there and removed here.
host "r1" {}
host "small" {}

workload "web" {
  host = host.r1
  container { image = "registry.example/web:1" }
}
