# A name daemons would not take, and a version that is not this.
infra {
  project          = "My Project!"
  required_version = ">= 99.0"
}
host "r1" {}
