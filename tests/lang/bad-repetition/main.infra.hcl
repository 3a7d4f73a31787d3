# What count and for_each cannot be.

locals {
  secret = sensitive(2)
}

workload "a" {
  count = -1
  memory {
    size = "1GiB"
  }
}

workload "b" {
  count = 1.5
  memory {
    size = "1GiB"
  }
}

workload "c" {
  count = "many"
  memory {
    size = "1GiB"
  }
}

workload "d" {
  count = null
  memory {
    size = "1GiB"
  }
}

workload "e" {
  count = local.secret
  memory {
    size = "1GiB"
  }
}

workload "f" {
  count = 10000000
  memory {
    size = "1GiB"
  }
}

workload "g" {
  for_each = ["a", "b"]
  memory {
    size = "1GiB"
  }
}

workload "h" {
  for_each = null
  memory {
    size = "1GiB"
  }
}

workload "i" {
  for_each = toset([1, 2])
  memory {
    size = "1GiB"
  }
}

workload "j" {
  for_each = sensitive(toset(["a"]))
  memory {
    size = "1GiB"
  }
}

workload "k" {
  for_each = "x"
  memory {
    size = "1GiB"
  }
}

workload "l" {
  count = length(workload.m.address)
  memory {
    size = "1GiB"
  }
}

workload "m" {
  memory {
    size = "1GiB"
  }
  dynamic "interface" {
    for_each = workload.l[0].address
    labels   = ["x"]
    content {
      network = "x"
    }
  }
}

workload "n" {
  for_each = { a = workload.o.address }
  memory {
    size = each.value
  }
}

workload "o" {
  for_each = workload.p.address == "x" ? { a = 1 } : {}
  memory {
    size = "1GiB"
  }
}

workload "p" {
  memory {
    size = "1GiB"
  }
}
