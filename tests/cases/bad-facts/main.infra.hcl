# Facts that cannot be true: of each host another lie.
host "overlap" {}
host "cores" {}
host "absent" {}
host "distances" {}
host "pages" {}
host "many" {}
