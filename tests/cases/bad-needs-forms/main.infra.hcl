# Needs that no form meets: told with what each form lacks.
host "r1" {}

workload "windows" {
  needs { alternative_os = "high" }
  container { image = "registry.example/one:1" }
}

workload "secret" {
  needs { security = "high" }
  container { image = "registry.example/two:1" }
  bare_metal { exec = ["/usr/bin/two"] }
}

# It trusts its neighbours: this one can.
workload "trusting" {
  needs {
    security = "high"
    trust    = "same_tenant"
  }
  container { image = "registry.example/three:1" }
}
