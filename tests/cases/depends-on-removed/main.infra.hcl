# Both are declared no longer: the state remembers that the dependent goes first.
host "r1" {}
