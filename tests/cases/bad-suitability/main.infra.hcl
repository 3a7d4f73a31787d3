# Tables that are none, and tables that cannot be counted with.
host "r1" {}

suitability "a" {
  table = { weight = { high = 4 } }
}

suitability "b" {
  table = "figures"
}

suitability "c" {
  table = {
    weights = { low = 5 }
    figures = [{
      need    = "cpu"
      runtime = "kvm"
      value   = 0.9
      unit    = "ratio"
      kind    = "published"
      source  = "hearsay"
      date    = "2026"
      why     = "said"
    }]
  }
}

workload "w" {
  class = "memcached"
  container { image = "registry.example/w:1" }
}
