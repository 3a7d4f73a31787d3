# An expression may name anything in the root module; what is wrong with it is said at its place.

locals {
  a = "text"
  b = 41
}

workload "a" {
  memory {
    size = "1GiB"
  }
}

workload "b" {
  count = 2
  memory {
    size = "1GiB"
  }
}
