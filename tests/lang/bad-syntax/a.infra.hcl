# Every block that does not parse is reported, and those that do are looked at too.

locals {
  quotes = 'single'
}

locals {
  template = ${local.x}
}

locals {
  a = 1,
  b = 2
}

locals {
  alone
}

locals {
  colon: 1
}

locals {
  nothing =
}

workload "one" { runtime = "kvm"  host = "r1" }

workload "two" { memory { size = "1GiB" } }

workload "three" {
  memory {
    size = 8GiB
  }
}

locals {
  twice = 1
  twice = 2
}

locals {
  both = true and false
}

locals {
  open = "no end
}

locals {
  list = [1 2]
}

locals {
  semicolon = 1; next = 2
}

locals {
  call = max(1, 2
}

locals {
  heredoc = <<EOT
text
}

workload "five" {
  memory {
    sise = "1GiB"
  }
}
