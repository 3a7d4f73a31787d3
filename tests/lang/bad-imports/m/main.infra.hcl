import {
  to = workload.a
  id = "a"
}
