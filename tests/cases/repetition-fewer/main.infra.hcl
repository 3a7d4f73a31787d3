# One instance less: the last one goes, the others stay as they are.
host "r1" {}

workload "worker" {
  count = 2
  container { image = "registry.example/worker:1" }
}
