# Files that are missing, cut off, or something else.
host "r1" {}

image "as_kernel" { kernel = "text.tar" }
image "missing" { archive = "build/missing.tar" }
image "cut" { archive = "cut.tar" }
image "empty" { archive = "empty.tar" }
image "text" { archive = "text.tar" }
image "folder" { kernel = "folder" }
image "disk" { disk = "cut.qcow2" }

workload "web" {
  container { image = image.missing }
}
image "packed" { archive = "packed.tar.gz" }
image "outside" { archive = "outside.tar" }
