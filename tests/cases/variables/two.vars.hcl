c = "of two.vars.hcl"
e = { name = "of two.vars.hcl" }
