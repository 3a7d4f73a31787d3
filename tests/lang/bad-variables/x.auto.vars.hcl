undeclared_too = 1
calls          = upper(local.x)
block {
}
