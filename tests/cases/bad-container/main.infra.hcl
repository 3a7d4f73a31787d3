# Words that contradict each other.
host "r1" {}

workload "web" {
  container {
    image           = "registry.example/a:1"
    restart         = "always"
    restart_retries = 3
    mount {
      source = "/srv"
      target = "/srv"
      size   = "1GiB"
    }
  }
}

workload "disagree" {
  cpus {
    count = 3
    set   = "5"
  }
  container { image = "registry.example/a:1" }
}
