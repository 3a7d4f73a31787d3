# What is imported: one by one, and many by one block.

variable "prefix" { default = "old" }

locals {
  disks = { a = "pool/one", b = "pool/two" }
}

network "lan" { subnet = "10.0.0.0/24" }

workload "one" {
  memory { size = "1GiB" }
}

workload "counted" {
  count = 2
  memory { size = "1GiB" }
}

workload "each" {
  for_each = local.disks
  memory { size = "1GiB" }
}

module "m" {
  source   = "./m"
  for_each = toset(["x", "y"])
}

import {
  to = network.lan
  id = "${var.prefix}-lan"
}

import {
  to = workload.one
  id = local.disks.a
}

import {
  for_each = local.disks
  to       = workload.each[each.key]
  id       = "${var.prefix}-${each.value}"
}

import {
  for_each = { first = { n = 0, id = "zero" }, second = { n = 1, id = "one" } }
  to       = workload.counted[each.value.n]
  id       = each.value.id
}

import {
  for_each = toset(["x", "y"])
  to       = module.m[each.value].workload.inner[0]
  id       = upper(each.key)
}

# None at all.
import {
  for_each = {}
  to       = workload.each[each.key]
  id       = each.value
}
