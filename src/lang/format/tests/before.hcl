resource   "a"   "b"  {
a=1
  long_name   =   "x"   # c1
  y = [1,2 ,3]// c2
  z={a=1,b = 2}
  m = {
  a=1
    "bb" = 2
    (ccc) : 3
  long_key = [
  1,
     2,
  ]
  d=4
  }
  blk { x=1 }
  blk {}
  f = foo( 1 , 2 ,-3 ) + -x*2-1
  g = a.b [ 0 ] . c
  h = a ?b:c
  i = !x&&y
  j = [ for x in y:x if x>1 ]
  k = { for k , v in y : k=>v... }
  l = "${ a }-${b}"
  s = x[*].id
  t = x.*.id
  n = foo([{
  a = 1
  }])


  o = <<-EOT
     hello
       ${ x }
  EOT
  p = foo(
  a,
  b)
  q = a == b || (c  !=d)
  /* block */ r = 1
  u=1
  # comment
  uu=1
  vvv = { a = 1 } # t
  w = 1 # tt
  x =  true ? [
  1] : [
  2
  ]
  e =   [ ]
  e2 = { }
  e3 = [ { a = 1 } , { b = 2 } ]
}
locals {
  a = 1 # x
    # full
  bbbb = 22 # y
  cc = <<EOT
x
EOT
  ddddddd = 1
  eee = 3
  ff = 1
  g = [
  1, # one
  22, # two
  ] # end
  h = foo([{
    a = 1
  }
  ])
  i = [ for k in (a) : k if (b) ]
  j = [ for k in [1,2] : k ]
  k = [ for k in {a=1} : k ]
  l = a - b
  m = a -b
  n = [-1, -x, !y, (-1)]
  o = x ? -1 : -2
  p = foo(bar...)
  q = {for k,v in y:k=>v if v}
  r = "a${"b${ c }"}"
  t = a % b
  u = !(a)
  v = foo( ) [ 0 ]
  w = "x" [0]
  x = -(a)
  y = 1 /* c */ + 2
  z = a[b] [c]
  aa = a>= b
  ab = "%{ if a }x%{ else }y%{ endif }"
  ac = { "a" : 1, b : 2 }
  ad = {
  "a" : 1
  bbb : 2
  c = 3
}
  ae = a.0.b
  af = (
  1 +
  2
  )
  ag = 1 +  2 # end


} // tail
x "a" { # comment
  q = 1
  y = 1
}
a = 1


b = 2
z  {
}
empty "x" {

  a=1

}
