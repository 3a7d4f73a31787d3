# What is unknown, misplaced, missing or in the wrong form: each at its place, with what is meant.

workload "a" {
  runtim = "kvm"
  size   = "1GiB"
  frobnicate = 1
  memroy {
    size = "1GiB"
  }
  env {
    A = 1
  }
  cpus = { count = 2 }
  memory {
  }
}

workload "b" {
  cpus {
    cout = 2
  }
  cpus {
    count = 2
  }
  memory "x" {
    size = "1GiB"
  }
  interface {
    network = "lan"
  }
  interface "a" "b" {
    network = "lan"
  }
}

workload "c" {
  interface "same" {
    network = network.lan
  }
  interface "same" {
    network = network.lan
  }
}

workload "d" "e" {
}

workload {
}

workload "no name" {
}

network "lan" {
  subnet   = "10.0.0.0/24"
  count    = 1
  for_each = {}
}

worklod "x" {
}

interface "x" {
}

host "r1" {
  count = 2
}

stray = 1

locals "x" {
  y {
  }
}
