# Fabrics of cards that are not there or have no virtual functions.
host "r1" {
  fabric "absent" { parents = ["ens9f0"] }
  fabric "bare" { parents = ["ens3f0"] }
}

workload "a" {
  container { image = "registry.example/a:1" }
}
