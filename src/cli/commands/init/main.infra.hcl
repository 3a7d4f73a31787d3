# A configuration is all `*.infra.hcl` of a folder. The project's name is in the
# names of everything that is made.
infra {
  project = "starter"
}

# This machine. Its Docker Engine and libvirt daemon are where they usually are;
# say so here if they are not.
host "local" {
  # docker  { endpoint = "unix:///var/run/docker.sock" }
  # libvirt { uri = "qemu:///system" }
  # reserve { cpus = "0" }        # CPUs the host keeps for itself
}

# One bridge for containers and virtual machines; addresses are planned.
network "lan" {
  subnet = "10.123.0.0/24"
}

variable "greeting" {
  type    = string
  default = "hello"
}

# What to run, and the forms in which it exists: infra chooses among them.
workload "hello" {
  cpus { count = 1 } # policy = "dedicated" gives it a CPU of its own
  memory { size = "64MiB" }

  interface "lan" { network = network.lan }

  container {
    image   = "docker.io/library/busybox:1.37"
    command = ["sh", "-c", "echo $GREETING; sleep 1000000"]
    env     = { GREETING = var.greeting }
  }
}

output "address" {
  value = workload.hello.address
}
