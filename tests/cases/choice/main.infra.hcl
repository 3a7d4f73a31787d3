# What a workload runs as: the forms it is given in, what hosts offer, the person's word, then the lighter one.
host "r1" {}
host "small" {}
host "edge" {}

image "guest" { kernel = "vmlinuz" }

workload "both" {
  memory { size = "1GiB" }
  container { image = "docker.io/library/nginx:1.27" }
  kvm { image = image.guest }
}

workload "its_word" {
  runtime = "kvm"
  memory { size = "1GiB" }
  container { image = "docker.io/library/nginx:1.27" }
  kvm { image = image.guest }
}

workload "only_metal_and_machine" {
  memory { size = "1GiB" }
  kvm { image = image.guest }
  bare_metal { exec = ["/usr/bin/true"] }
}

workload "there" {
  host = host.small
  container { image = "docker.io/library/nginx:1.27" }
}

workload "emulated" {
  host = host.small
  memory { size = "256MiB" }
  kvm {
    image        = image.guest
    acceleration = "emulated"
  }
}
