# What a container can be told beside what it runs.
host "r1" {}

variable "token" {
  type      = string
  sensitive = true
}

workload "web" {
  memory { size = "1GiB" }
  disk "data" { size = "1GiB" }
  container {
    image         = "registry.example/web@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    groups        = ["video", "44"]
    init          = true
    tty           = true
    stdin         = true
    stop_signal   = "SIGINT"
    stop_timeout  = "30s"
    read_only     = true
    seccomp       = jsonencode({ defaultAction = "SCMP_ACT_ALLOW" })
    apparmor      = "web"
    runtime       = "runc"
    ipc_mode      = "shareable"
    pid_mode      = "host"
    userns_mode   = "host"
    cgroupns_mode = "private"
    cgroup_parent = "work.slice"
    sysctls       = { "net.core.somaxconn" = "1024" }
    shm_size      = "128MiB"
    domainname    = "example"
    extra_hosts   = { db = "10.0.0.5", host = "host-gateway" }
    device_rules  = ["c 1:3 mr"]
    capabilities {
      drop = ["ALL"]
      add  = ["CAP_NET_BIND_SERVICE", "chown"]
    }
    port {
      host      = 8000
      container = 80
      count     = 3
      address   = "0:0:0:0:0:0:0:1"
    }
    mount {
      disk    = "data"
      target  = "/srv/data"
      subpath = "web"
      copy    = false
    }
    mount {
      disk      = "data"
      target    = "/var/lib/web"
    }
    mount {
      source      = "/run/other"
      target      = "/run/other"
      propagation = "rslave"
      recursive   = false
    }
    mount {
      target = "/tmp"
      mode   = "0700"
    }
    file "/var/lib/web/app.conf" {
      content = "listen 80\n"
      mode    = "0600"
      uid     = 1000
      gid     = 1000
    }
    file "/var/lib/web/token" { content = var.token }
    file "/var/lib/web/key" { content_base64 = base64encode("k") }
    health_check {
      shell          = "wget -q localhost"
      start_interval = "500ms"
    }
    log {
      driver  = "local"
      options = { max-size = "10m" }
    }
    dns {
      servers = ["10.0.0.53"]
      search  = ["lab.example"]
      options = ["ndots:2"]
    }
    device "/dev/kvm" { permissions = "wr" }
    device "/dev/zero" { target = "/dev/nought" }
    device_request {
      driver       = "nvidia"
      count        = -1
      capabilities = ["gpu"]
    }
    limits {
      cpu_shares         = 512
      cpu_quota          = "50ms"
      cpu_period         = "100ms"
      memory_reservation = "512MiB"
      swap               = "256MiB"
      oom_score_adj      = -500
      blkio_weight       = 300
      block_device "/dev/sda" {
        read_rate  = "10MiB"
        write_iops = 100
      }
    }
  }
}

# What is usual where nothing is said, and what a person may give up.
workload "plain" {
  container { image = "registry.example/plain:1" }
}
workload "free" {
  container {
    image        = "registry.example/free:1"
    privileged   = true
    network_mode = "host"
    uts_mode     = "host"
    health_check { disabled = true }
  }
}
workload "ping" {
  container {
    image                = "registry.example/ping:1"
    privilege_escalation = true
    capabilities { add = ["NET_RAW"] }
  }
}
