# Dovecot: IMAP over Maildirs on a volume.

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
  default     = 384
  description = "Its memory, in MiB."
  validation {
    condition     = var.memory >= 256
    error_message = "As a virtual machine it needs 256 MiB."
  }
}

variable "users" {
  type        = map(string)
  sensitive   = true
  description = "Passwords by users' names: in clear, or hashed as `{SHA512-CRYPT}$6$…`."
  validation {
    condition     = alltrue([for name, password in var.users : name != "" && trim(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == "" && password != "" && !strcontains(password, ":")])
    error_message = "A name is small letters, digits, dots, hyphens and underscores; a password has no colon."
  }
}

variable "certificate" {
  type        = string
  default     = null
  description = "The server's certificate as PEM. With it and `key` nobody logs in without TLS; without them all is in clear."
}

variable "key" {
  type        = string
  default     = null
  sensitive   = true
  description = "The certificate's key, as PEM."
  validation {
    condition     = (var.key == null) == (var.certificate == null)
    error_message = "A certificate and its key go together."
  }
}

variable "mail" {
  type        = number
  default     = 4096
  description = "Of a virtual machine: how large the disk for the mail is, in MiB."
}

locals {
  users   = join("", [for name, password in var.users : "${name}:${password}\n"])
  secure  = var.certificate != null
  command = ["dovecot", "-F", "-c", local.secure ? "/etc/dovecot/tls.conf" : "/etc/dovecot/plain.conf"]
  files = merge({ "/etc/dovecot/users" = local.users },
  local.secure ? { "/etc/dovecot/cert.pem" = var.certificate, "/etc/dovecot/key.pem" = var.key } : {})
  names  = nonsensitive(keys(local.files))
  script = <<-END
    #!/bin/sh
    data-disk mail /srv/mail && chown vmail /srv/mail || exit
    umask 077
    ${join("\n", [for path in local.names : "echo ${base64encode(local.files[path])} | base64 -d > ${path}"])}
    chown dovecot /etc/dovecot/users
    exec ${join(" ", local.command)}
  END
}

image "container" {
  archive = "${path.module}/../build/imap-server.tar"
}

image "machine" {
  kernel    = "${path.module}/../build/vmlinuz"
  initramfs = "${path.module}/../build/imap-server.initrd"
}

workload "server" {
  class   = "imap-server"
  runtime = var.runtime
  cpus {
    count   = max(var.cpus, 1)
    policy  = var.cpus > 0 ? "dedicated" : "shared"
    threads = var.cpus > 0 ? "prefer" : "any"
  }
  memory { size = "${var.memory}MiB" }

  interface "lan" { network = var.network }

  disk "mail" {
    size   = "${var.mail}MiB"
    mount  = "/srv/mail"
    serial = "mail"
  }

  container {
    image   = image.container
    command = local.command
    restart = "unless-stopped"

    dynamic "file" {
      for_each = toset(local.names)
      labels   = [file.value]
      content {
        content = local.files[file.value]
        mode    = "0640"
        gid     = 105
      }
    }
    health_check {
      command  = ["sh", "-c", "printf 'a logout\\r\\n' | nc -w 3 127.0.0.1 143 | grep -q '^. OK'"]
      interval = "5s"
      timeout  = "4s"
    }
  }

  kvm {
    image        = image.machine
    acceleration = var.acceleration
    cmdline      = "console=ttyS0 quiet"
    user_data    = local.script
    ready { port = 143 }
  }

  bare_metal { exec = concat(["/usr/sbin/dovecot"], slice(local.command, 1, length(local.command))) }
}

output "address" {
  value       = "${workload.server.address}:143"
  description = "Where it answers, by IMAP; with a certificate after STARTTLS."
}
