# Characters that no daemon, file or program takes, written as escapes: what is sensitive is not quoted.
host "r1" {}

image "guest" { kernel = "vmlinuz" }

workload "zero" {
  container {
    image   = "registry.example/a:1"
    command = ["run", "a\u0000b"]
    env     = { A = "\u0000" }
    user    = "\u0000"
  }
}
workload "lines" {
  kvm {
    image   = image.guest
    cmdline = "quiet\ninit=/bin/sh"
  }
}
workload "secret" {
  kvm {
    image   = image.guest
    cmdline = sensitive("key=abc\u001b")
  }
}

# These are text like any other: they arrive as they are.
workload "as_it_is" {
  container {
    image   = "registry.example/a:1"
    command = ["sh", "-c", "echo \"$HOME\" 'a' `b`; rm -rf / # \\ <a>&amp;]]>"]
    env     = { A = "line\nline\ttab", B = "{\"json\": [1]}" }
  }
}
