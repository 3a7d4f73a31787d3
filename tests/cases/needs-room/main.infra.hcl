# Six CPUs for seven who would each like one of their own: nobody loses his place for another's comfort.
host "r1" {}

workload "w" {
  count = 7
  needs { cpu = "high" }
  container { image = "registry.example/w:1" }
}
