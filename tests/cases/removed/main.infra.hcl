# Everything was removed from the configuration; a declared volume that nobody attaches any more goes too.
host "r1" {}
