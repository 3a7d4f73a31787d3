# A reserve the host does not have.
host "r1" {
  reserve { cpus = "0,42" }
}
