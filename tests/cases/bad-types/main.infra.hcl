# Values that are not what their attribute takes.
host "r1" {
  address = "-oProxyCommand=x"
  reserve {
    cpus          = "0-"
    cpus_per_node = -1
  }
}

network "a" { subnet = "10.1.0.0" }
network "b" { subnet = "10.2.0.7/24" }
network "c" { subnet = "10.3.0.0/30" }
network "d" {
  subnet  = "10.4.0.0/24"
  gateway = "10.5.0.1"
}

workload "web" {
  runtime = "docker"
  cpus {
    count  = 1.5
    set    = ""
    policy = "exclusive"
  }
  memory {
    size      = "8"
    nodes     = "first"
    page_size = 2097152
  }
  interface "lan" {
    network = "lan"
    address = "10.4.0.300"
  }
  container {
    image   = ["x"]
    command = "sleep 10"
    env     = ["A=1"]
    restart = true
    port {
      container = 80
      host      = 80800
    }
    health_check {
      command  = ["true"]
      interval = "5"
    }
  }
}
