# An instance of a module with all in it, and a glob over instances.
host "r1" {}

module "m" {
  source   = "./m"
  for_each = toset(["a", "b"])
}
workload "web" {
  count = 3
  container { image = "registry.example/web:1" }
}
