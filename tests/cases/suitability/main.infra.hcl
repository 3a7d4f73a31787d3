# What its owner knows better than the table: a figure of his own, a class of his own.
host "r1" {}
network "lan" { subnet = "10.20.0.0/24" }
image "linux" { kernel = "vmlinuz" }

suitability "ours" {
  table = {
    tie = 0
    figures = [{
      need    = "deployment_speed"
      runtime = "kvm"
      value   = 0.2
      unit    = "seconds"
      kind    = "measured"
      source  = ""
      date    = "2026-11-30"
      why     = "our own guests, resumed from a snapshot"
    }]
    classes = [{
      name    = "web"
      doc     = "Our shops"
      said_by = "us"
      needs   = { deployment_speed = "high", security = "low" }
    }]
  }
}

workload "w" {
  class = "web"
  memory { size = "1GiB" }
  interface "lan" { network = network.lan }
  kvm { image = image.linux }
  container { image = "registry.example/w:1" }
}
