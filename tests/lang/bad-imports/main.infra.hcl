# What is imported.

workload "a" {
  memory { size = "1GiB" }
}

import {
  to = workload.a
  id = "a"
}

import {
  to = workload.a
  id = "b"
}

import {
  to = workload.c
}

import {
  to = module.m
  id = "m"
}

import {
  to = host.h
  id = "h"
}

import {
  to   = network.lan
  id   = ""
  name = "lan"
}

import {
  to = network.v
  id = local.nothing
}

locals {
  name = "v"
}

module "m" {
  source = "./m"
}

variable "secret" {
  default   = "hunter2"
  sensitive = true
}

import {
  for_each = ["a", "b"]
  to       = workload.list[each.key]
  id       = each.value
}

import {
  for_each = { one = "1", two = "2" }
  to       = workload.without_key
  id       = each.value
}

import {
  to = workload.outside[each.key]
  id = each.value
}

import {
  to = workload.secret
  id = var.secret
}

import {
  to = workload.early
  id = workload.a.address
}

import {
  for_each = { one = 1.5 }
  to       = workload.half[each.value]
  id       = "half"
}

import {
  to = network.null
  id = null
}
