network "lan" {
  subnet = "10.0.0.0/24"
  lifecycle {
    prevent_destroy = true

network "wan" {
  subnet = "10.0.1.0/24"
}
