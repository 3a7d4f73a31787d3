# The host of a recorded workload is declared no more: it goes elsewhere, and what it left is still known.
host "r1" {}

workload "web" {
  container { image = "registry.example/web:1" }
}
