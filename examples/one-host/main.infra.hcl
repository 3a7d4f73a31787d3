# One host of two NUMA nodes with a fabric of virtual functions: the talk's five workloads and a network function, together.

infra { project = "one-host" }

variable "address" {
  type        = string
  description = "How the host is reached: `[USER@]HOST[:PORT]`, or `local`."
}

variable "card" {
  type        = string
  description = "The network card with virtual functions (SR-IOV), by the name of its interface."
}

variable "standby" {
  type        = bool
  default     = false
  description = "Whether the network function only stands by: one that forwards polls, a whole CPU all the time."
}

host "metal" {
  address = var.address

  # What the network function has: two functions, and its memory in pages of 2 MiB on the card's node.
  fabric "data" {
    parents = [var.card]
    vfs     = 4
  }
  hugepages "2MiB" { nodes = { "1" = 320 } }

  kernel {
    transparent_hugepages = "madvise"
    ksm                   = false
    numa_balancing        = false
    sysctl                = { "net.core.busy_poll" = "50" }
  }
  tuned { profile = "virtual-host" }

  # All else stays off the CPUs that workloads have to themselves.
  housekeeping = true
}

network "lan" {
  subnet = "10.81.0.0/24"
}

module "memcached" {
  source = "../../modules/memcached"
}

module "build_farm" {
  source  = "../../modules/build-farm"
  network = network.lan.id
  workers = 1
  memory  = 512
}

module "render_farm" {
  source  = "../../modules/render-farm"
  network = network.lan.id
  runtime = "container" # as below
}

module "gluster" {
  source   = "../../modules/gluster"
  network  = network.lan.id
  nodes    = 1
  replicas = 1
  # It is installed on no host here; where it is, leave this out, and it is a unit of systemd.
  runtime = "container"
}

# A unit of systemd on a whole core of its own.
module "stock_trading" {
  source = "../../modules/stock-trading"
}

# A virtual machine between two functions of the fabric, beside them.
module "nfv" {
  source  = "../../modules/nfv"
  runtime = "kvm"
  cpus    = 1
  fabric  = "data"
  standby = var.standby
  left    = network.lan.id
  right   = network.lan.id
}
