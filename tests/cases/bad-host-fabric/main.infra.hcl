# Functions that a card cannot have, or that somebody has.
host "r1" {
  fabric "more" {
    parents = ["ens3f0"]
    vfs     = 65
  }
  fabric "none" {
    parents = ["0000:41:00.0"]
    vfs     = 1
  }
  fabric "old" {
    parents = ["ens2f0"]
    vfs     = 4
  }
  fabric "twice" {
    parents = ["0000:c2:00.0"]
    vfs     = 3
  }
}
