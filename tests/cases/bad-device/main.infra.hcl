# Devices that are asked for by nothing, by two things, or of no card.
host "local" {
  fabric "none" { parents = [] }
}

image "guest" { kernel = "vmlinuz" }

workload "vm" {
  memory { size = "1GiB" }
  device "nothing" {}
  device "two" {
    id    = "8086:1592"
    class = "0200"
  }
  device "several" {
    pci   = "0000:3b:00.0"
    count = 2
  }
  kvm { image = image.guest }
}

workload "container" {
  device "nic" { class = "02" }
  container { image = "registry.example/a:1" }
}
