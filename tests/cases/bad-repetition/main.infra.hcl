# Counts and keys that are none.
host "r1" {}

workload "both" {
  count    = 2
  for_each = { a = 1 }
  container { image = "registry.example/a:1" }
}
workload "negative" {
  count = -1
  container { image = "registry.example/a:1" }
}
workload "list" {
  for_each = ["a", "b"]
  container { image = "registry.example/a:1" }
}
workload "two" {
  count = 2
  container {
    image = "registry.example/a:1"
    env   = { OTHER = workload.two_more.name, FAR = workload.two_more[7].name }
  }
}
workload "two_more" {
  count = 2
  container { image = "registry.example/a:1" }
}
