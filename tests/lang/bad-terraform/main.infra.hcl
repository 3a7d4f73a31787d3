# Blocks of Terraform that mean something else here, or nothing.

terraform {
  required_version = ">= 1.0"
}

provider "docker" {
  host = "unix:///var/run/docker.sock"
}

resource "docker_container" "a" {
}

data "docker_image" "a" {
}

import {
  to = workload.a
  id = "x"
}

check "health" {
}

output "a" {
  value = data.docker_image.a.id
}

output "b" {
  value = terraform.workspace
}

output "c" {
  value = self.id
}
