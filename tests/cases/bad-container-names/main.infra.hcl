# Names that the kernel would refuse at the start, or that would be other lines of `/etc/hosts` and `resolv.conf`.
host "r1" {}

workload "lines" {
  container {
    image       = "registry.example/a:1"
    hostname    = "a\n10.0.0.1 registry.example"
    domainname  = "two words"
    extra_hosts = { "db\t10.0.0.9" = "10.0.0.5" }
    dns {
      search  = ["lab.example", "a\nnameserver 10.0.0.1"]
      options = ["ndots:2 rotate"]
    }
  }
}

workload "long" {
  container {
    image      = "registry.example/a:1"
    hostname   = "a1234567890123456789012345678901234567890123456789012345678901234"
    domainname = ""
  }
}

# As long as can be, and none to search.
workload "good" {
  container {
    image      = "registry.example/a:1"
    hostname   = "a_23456789012345678901234567890123456789012345678901234567890.23"
    domainname = "Lab-1.example"
    dns { search = ["."] }
  }
}
