# Networks of containers beside a plain bridge, and volumes beside plain directories.
host "r1" {}

network "both" {
  subnet  = "10.90.0.0/24"
  subnet6 = "fd00:90::/64"
  options = { "com.docker.network.driver.mtu" = "1400" }
  labels  = { team = "net" }
}
network "office" {
  subnet  = "192.0.2.0/24"
  gateway = "192.0.2.254"
  driver  = "macvlan"
  parent  = "ens1.7"
}
network "lab" {
  subnet   = "198.51.100.0/24"
  subnet6  = "fd00:51::/64"
  gateway6 = "fd00:51::fe"
  driver   = "ipvlan"
  parent   = "ens2"
  mode     = "l3"
}

volume "share" {
  driver  = "local"
  options = { type = "nfs", o = "addr=192.0.2.9,ro", device = ":/srv" }
  labels  = { team = "net" }
}
volume "remote" {
  driver = "rclone"
}

workload "web" {
  interface "both" {
    network = network.both
    aliases = ["www", "web"]
  }
  interface "office" {
    network = network.office
    address = "192.0.2.20"
    mac     = "02:00:5e:00:00:20"
  }
  interface "lab" {
    network  = network.lab
    address6 = "fd00:51::77"
  }
  disk "share" {
    volume = volume.share
    mount  = "/srv"
  }
  disk "remote" {
    volume = volume.remote
    mount  = "/remote"
  }
  container { image = "registry.example/web:1" }
}
