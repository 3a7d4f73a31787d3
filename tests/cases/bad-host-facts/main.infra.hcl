# Recorded facts: missing, damaged, of a newer format.
host "nowhere" {}
host "damaged" {}
host "newer" {}
