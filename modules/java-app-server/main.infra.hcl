# Tomcat on OpenJDK, serving what is given to it.

variable "network" {
  type        = string
  description = "The network it answers in: `network.NAME.id`."
}

variable "runtime" {
  type        = string
  default     = "auto"
  description = "What it runs as."
  validation {
    condition     = contains(["auto", "container", "kvm", "bare_metal"], var.runtime)
    error_message = "It is \"auto\", \"container\", \"kvm\" or \"bare_metal\"."
  }
}

variable "acceleration" {
  type        = string
  default     = "kvm"
  description = "Of a virtual machine: by the hardware (kvm), or in software (emulated)."
  validation {
    condition     = contains(["kvm", "emulated"], var.acceleration)
    error_message = "It is \"kvm\" or \"emulated\"."
  }
}

variable "cpus" {
  type        = number
  default     = 0
  description = "CPUs of its own, whole cores where there are; 0: it shares."
  validation {
    condition     = var.cpus >= 0
    error_message = "A number of CPUs is not negative."
  }
}

variable "memory" {
  type        = number
  default     = 1024
  description = "Its memory, in MiB."
  validation {
    condition     = var.memory >= 768
    error_message = "It wants at least 768 MiB."
  }
}

variable "heap" {
  type        = number
  default     = 256
  description = "The heap of the Java machine, in MiB."
  validation {
    condition     = var.heap >= 64 && var.heap + 704 <= var.memory
    error_message = "It is at least 64 MiB, and leaves 704 MiB of the memory."
  }
}

variable "pages" {
  type        = map(string)
  default     = {}
  description = "Files of applications, by their path: `{ \"ROOT/index.jsp\" = file(\"index.jsp\") }`. Further ones are put into the volume."
  validation {
    condition     = alltrue([for path, text in var.pages : trim(lower(path), "abcdefghijklmnopqrstuvwxyz0123456789/._-") == "" && strcontains(path, "/") && !strcontains(path, "..")])
    error_message = "A path is APPLICATION/FILE, of letters, digits, hyphens, dots and underscores."
  }
}

locals {
  env = {
    CATALINA_BASE = "/srv/tomcat"
    CATALINA_OPTS = "-Xms${var.heap}m -Xmx${var.heap}m -XX:ActiveProcessorCount=${max(var.cpus, 1)}"
    JAVA_HOME     = "/usr/lib/jvm/default-java"
  }
  script = <<-END
    #!/bin/sh
    data-disk webapps /srv/webapps || exit
    ${join("\n", [for path, text in var.pages : "mkdir -p /srv/webapps/${dirname(path)}; echo ${base64encode(text)} | base64 -d > /srv/webapps/${path}"])}
    ${join("\n", [for name, value in local.env : "export ${name}='${value}'"])}
    exec /usr/share/tomcat10/bin/catalina.sh run
  END
}

image "container" {
  archive = "${path.module}/../build/java-app-server.tar"
}

image "machine" {
  kernel    = "${path.module}/../build/vmlinuz"
  initramfs = "${path.module}/../build/java-app-server.initrd"
}

workload "server" {
  class   = "java-app-server"
  runtime = var.runtime
  cpus {
    count   = max(var.cpus, 1)
    policy  = var.cpus > 0 ? "dedicated" : "shared"
    threads = var.cpus > 0 ? "prefer" : "any"
  }
  memory { size = "${var.memory}MiB" }

  interface "lan" { network = var.network }

  disk "webapps" {
    size   = "1GiB"
    mount  = "/srv/webapps"
    serial = "webapps"
  }

  container {
    image        = image.container
    command      = ["/usr/share/tomcat10/bin/catalina.sh", "run"]
    env          = local.env
    user         = "tomcat"
    restart      = "unless-stopped"
    stop_timeout = "30s"

    dynamic "file" {
      for_each = var.pages
      labels   = ["/srv/webapps/${file.key}"]
      content {
        content = file.value
      }
    }
    health_check {
      command      = ["sh", "-c", "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | timeout 4 nc 127.0.0.1 8080 | grep -q ^HTTP/"]
      interval     = "5s"
      timeout      = "5s"
      start_period = "60s"
    }
  }

  kvm {
    image        = image.machine
    acceleration = var.acceleration
    cmdline      = "console=ttyS0 quiet"
    user_data    = local.script
    ready { port = 8080 }
  }

  bare_metal { exec = ["/usr/share/tomcat10/bin/catalina.sh", "run"] }

  measure {
    command = ["perl", "${path.module}/../ask.pl", "{address}", "8080", "${path.module}/get.txt", "200"]
    metric  = "([0-9.]+) answers per second"
    better  = "higher"
    unit    = "answers/s"
  }
}

output "url" {
  value       = "http://${workload.server.address}:8080/"
  description = "Where it answers."
}
