# `--replace` makes anew what is declared at an address, though nothing differs.
host "r1" {}

workload "web" {
  container { image = "registry.example/web:1" }
}
workload "other" {
  container { image = "registry.example/web:1" }
}
