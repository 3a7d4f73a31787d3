# Words nobody knows, each with the nearest one that is known.
host "r1" {
  dokcer {}
  adress = "local"
}

netwrok "lan" { subnet = "10.1.0.0/24" }

workload "web" {
  cpu { count = 1 }
  memory { szie = "1GiB" }
  container {
    image    = "registry.example/web:1"
    comand   = ["x"]
    frobnicate = true
    healthcheck { command = ["true"] }
  }
  enviroment = {}
}
