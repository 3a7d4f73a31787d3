# With only a sensitive output the project's key is needed all the same: one that is broken is said.
host "r1" {}

output "token" {
  value     = "a word that nobody is to see"
  sensitive = true
}
