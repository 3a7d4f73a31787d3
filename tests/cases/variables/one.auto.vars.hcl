b = "of one.auto.vars.hcl"
c = "of one.auto.vars.hcl"
