# Forty of one block that fit nowhere are told of once; one of them asks for more than the others.
host "r1" {}

workload "big" {
  count = 40
  memory { size = count.index == 7 ? "65GiB" : "64GiB" }
  container { image = "registry.example/web:1" }
}

workload "elsewhere" {
  for_each    = toset(["a", "b"])
  host_labels = { zone = "north" }
  container { image = "registry.example/web:1" }
}
