# One address, one declaration.
host "r1" {}
host "r1" {}

network "lan" { subnet = "10.1.0.0/24" }

workload "web" {
  container { image = "registry.example/a:1" }
}
