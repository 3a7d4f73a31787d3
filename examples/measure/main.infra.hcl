# Listen to your apps: which runtime is best for these two, on this very machine?
#
#   infra measure workload.cache
#   infra measure workload.job

infra { project = "measure" }

variable "images" {
  type        = string
  default     = "../../modules/build"
  description = "Where `modules/images memcached` made its images."
}

variable "acceleration" {
  type        = string
  default     = "kvm"
  description = "Of virtual machines: by the hardware (kvm), or in software (emulated)."
}

network "lan" { subnet = "10.79.1.0/24" }

image "container" { archive = "${var.images}/memcached.tar" }

image "machine" {
  kernel    = "${var.images}/vmlinuz"
  initramfs = "${var.images}/memcached.initrd"
}

locals {
  memcached = ["memcached", "-u", "memcache", "-m", "96", "-t", "1"]
  # Whoever connects has 64 MiB of zeros hashed, and sees the digest when that is done.
  digest = "dd if=/dev/zero bs=1M count=64 2> /dev/null | sha256sum"
  job    = "while true; do nc -l -p 7000 -e sh -c '${local.digest}'; done"
}

# Asked over the network, round trip by round trip.
workload "cache" {
  class = "memcached"
  memory { size = "256MiB" }
  interface "lan" { network = network.lan }

  container {
    image   = image.container
    command = local.memcached
  }
  kvm {
    image        = image.machine
    acceleration = var.acceleration
    cmdline      = "console=ttyS0 quiet"
    user_data    = "#!/bin/sh\nexec ${join(" ", local.memcached)}\n"
    ready { port = 11211 }
  }

  measure {
    command = ["perl", "${path.module}/../../modules/memcached/gets.pl", "{address}"]
    metric  = "([0-9.]+) gets per second"
    better  = "higher"
    unit    = "gets/s"
    runs    = 6
  }
}

# Computes, and is asked seldom.
workload "job" {
  needs { cpu = "high" }
  memory { size = "128MiB" }
  interface "lan" { network = network.lan }

  container {
    image   = image.container
    command = ["sh", "-c", local.job]
  }
  kvm {
    image        = image.machine
    acceleration = var.acceleration
    cmdline      = "console=ttyS0 quiet"
    user_data    = "#!/bin/sh\n${local.job}\n"
    ready { port = 7000 }
  }

  measure {
    command = ["perl", "${path.module}/digest.pl", "{address}"]
    better  = "lower"
    unit    = "s"
    runs    = 6
  }
}
