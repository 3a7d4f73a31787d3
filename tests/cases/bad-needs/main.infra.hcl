# A class nobody knows, a level that is none, needs that no form meets.
host "r1" {}

workload "one" {
  class = "memcacheed"
  container { image = "registry.example/one:1" }
}

workload "two" {
  class = "something else"
  needs { cpu = "very high" }
  container { image = "registry.example/two:1" }
}

workload "three" {
  needs { trust = "everybody" }
  container { image = "registry.example/three:1" }
}
