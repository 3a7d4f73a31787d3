locals {
  x = "ÿ"
}
