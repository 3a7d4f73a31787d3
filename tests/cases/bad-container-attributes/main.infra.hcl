# What the engine or the kernel would refuse, or leave out without a word.
host "r1" {}

network "lan" { subnet = "10.90.0.0/24" }

workload "rights" {
  container {
    image      = "registry.example/a:1"
    seccomp    = "default.json"
    privileged = true
    capabilities { add = ["NET_ADMIN"] }
  }
}

workload "capabilities" {
  container {
    image = "registry.example/a:1"
    capabilities {
      drop = ["NET_ADMIN", "SYS_NICEST"]
      add  = ["CAP_NET_ADMIN"]
    }
  }
}

workload "spaces" {
  interface "lan" { network = network.lan }
  container {
    image        = "registry.example/a:1"
    hostname     = "a"
    network_mode = "host"
    uts_mode     = "host"
    ipc_mode     = "host"
    shm_size     = "1GiB"
    stop_signal  = "SIGSTOPIT"
    stop_timeout = "1.5s"
    sysctls      = { "vm.swappiness" = "1", "net.core.somaxconn" = "1", "kernel.shmmax" = "1" }
    port {
      container = 80
      host      = 80
    }
  }
}

workload "devices" {
  container {
    image        = "registry.example/a:1"
    device_rules = ["c 1:3", "x *:* rwm"]
    device "dev/kvm" {}
    device "/dev/null" {}
    device "/dev/zero" { target = "/dev/null" }
    device "/dev/full" { target = "/dev/null" }
    device_request {
      count = 1
      ids   = ["0"]
    }
    device_request { count = 0 }
  }
}

workload "names" {
  container {
    image       = "registry.example/a:1"
    extra_hosts = { db = "here" }
    dns { servers = ["dns.example"] }
    log {
      driver  = ""
      options = { "a,b" = "1" }
    }
    health_check {
      command = ["true"]
      shell   = "true"
    }
    port {
      container = 65535
      host      = 80
      count     = 2
    }
  }
}

workload "unwell" {
  container {
    image = "registry.example/a:1"
    health_check {
      disabled = true
      retries  = 3
    }
  }
}

workload "mounts" {
  container {
    image = "registry.example/a:1"
    mount {
      source = "/a"
      disk   = "a"
      target = "/a"
    }
    mount {
      source  = "/b"
      target  = "/b"
      subpath = "b"
    }
    mount {
      target    = "/c"
      size      = "0MiB"
      read_only = true
    }
    mount {
      disk    = "d"
      target  = "/d"
      subpath = "../d"
    }
  }
}

workload "files" {
  container {
    image = "registry.example/a:1"
    file "etc/a" { content = "a" }
    file "/etc/b" {}
    file "/etc/c" { content_base64 = "?" }
    file "/etc/d" { content = join("", [for n in range(1000) : format("%02000d", n)]) }
  }
}

workload "limits" {
  container {
    image = "registry.example/a:1"
    limits {
      cpu_period           = "2s"
      cpu_realtime_runtime = "1ms"
      block_device "sda" { weight = 100 }
      block_device "/dev/sda" {}
      block_device "/dev/sdb" { read_rate = "0MiB" }
    }
  }
}

workload "users" {
  container {
    image = "registry.example/a:1"
    user  = "app:staff:more"
  }
}

workload "groups" {
  container {
    image  = "registry.example/a:1"
    groups = ["adm", "a b"]
  }
}

workload "number" {
  container {
    image = "registry.example/a:1"
    user  = "4294967295"
  }
}
