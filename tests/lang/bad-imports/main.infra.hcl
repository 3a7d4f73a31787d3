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
  id = local.name
}

locals {
  name = "v"
}

module "m" {
  source = "./m"
}
