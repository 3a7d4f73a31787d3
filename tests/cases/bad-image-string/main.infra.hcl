# An image by its address as a string.
host "r1" {}

workload "web" {
  container { image = "image.nothing" }
}
