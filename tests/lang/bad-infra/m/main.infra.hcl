infra {
  project          = local.x
  required_version = "=> 1.0"
}
