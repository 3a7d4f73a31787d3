# What dynamic cannot make.

network "lan" {
  subnet = "10.0.0.0/24"
}

workload "a" {
  dynamic "memory" {
    for_each = ["1GiB", "2GiB"]
    content {
      size = memory.value
    }
  }
  dynamic "interface" {
    for_each = ["x"]
    content {
      network = network.lan
    }
  }
  dynamic "interfaces" {
    for_each = ["x"]
    content {
    }
  }
  dynamic "env" {
    for_each = ["x"]
    content {
    }
  }
  dynamic "cpus" {
    for_each = 1
    labels   = ["x"]
    content {
      cnt = 1
    }
  }
  dynamic {
  }
  dynamic "cpus" {
  }
}

workload "b" {
  dynamic "memory" {
    for_each = []
    content {
      size = "1GiB"
    }
  }
  dynamic "interface" {
    for_each = ["x", "x"]
    iterator = "quoted"
    labels   = [interface.value]
    content {
      network = network.lan
    }
  }
}

workload "c" {
  memory {
    size = "1GiB"
  }
  dynamic "interface" {
    for_each = ["x", "x"]
    iterator = it
    labels   = [it.value]
    content {
      network = interface.value
    }
  }
}

workload "d" {
  memory {
    size = "1GiB"
  }
  dynamic "interface" {
    for_each = ["x", "x"]
    labels   = [interface.value]
    content {
      network = network.lan
    }
  }
  dynamic "interface" {
    for_each = toset(["y"])
    labels   = [interface.value, 1]
    content {
      network = network.lan
    }
  }
  dynamic "interface" {
    for_each = sensitive(["x"])
    labels   = [interface.value]
    content {
      network = network.lan
    }
  }
}

workload "e" {
  dynamic "memory" {
    for_each = ["1GiB", "2GiB"]
    content {
      size = memory.value
    }
  }
}

workload "f" {
  dynamic "memory" {
    for_each = []
    content {
      size = memory.value
    }
  }
}

workload "g" {
  memory {
    size = "1GiB"
  }
  dynamic "interface" {
    for_each = ["x", "x"]
    labels   = [interface.value]
    content {
      network = network.lan
    }
  }
}
