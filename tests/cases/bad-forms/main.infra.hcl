# Forms that are missing.
host "r1" {}

workload "formless" {
  memory { size = "1GiB" }
}

workload "word_without_form" {
  runtime = "kvm"
  container { image = "registry.example/a:1" }
}
