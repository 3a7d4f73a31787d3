//! `infra measure`: what is refused before anything is looked at.

use snapbox::str;

use crate::ends;
use crate::support::Folder;

const WORKLOADS: &str = r#"
host "r1" {}
volume "data" { size = "1GiB" }

workload "mute" {
  container { image = "registry.example/mute:1" }
}

workload "keeper" {
  disk "data" {
    volume = volume.data
    mount  = "/data"
  }
  container { image = "registry.example/keeper:1" }
  measure {
    command = ["true"]
    better  = "higher"
  }
}

workload "folder" {
  container {
    image = "registry.example/keeper:1"
    mount {
      source = "/srv"
      target = "/srv"
    }
  }
  measure {
    command = ["true"]
    better  = "higher"
  }
}

workload "drive" {
  memory { size = "1GiB" }
  disk "data" { path = "/dev/sdb" }
  kvm {}
  measure {
    command = ["true"]
    better  = "higher"
  }
}
"#;

#[test]
fn what_cannot_be_measured() {
    let folder = Folder::of(WORKLOADS);
    ends(
        folder.infra(&["measure", "workload.nobody"]),
        1,
        str![],
        str![[r#"
error: measuring `workload.nobody`: no workload is declared there

hint: declared: workload.drive, workload.folder, workload.keeper, workload.mute

"#]],
    );
    ends(
        folder.infra(&["measure", "workload.mute"]),
        1,
        str![],
        str![[r#"
error: measuring `workload.mute`: nothing says how: it has no `measure` block

hint: write `measure { command = […] … }` in it: what is run against it, and where in its output the number stands

"#]],
    );
    ends(
        folder.infra(&["measure", "workload.mute", "--runtimes", "vm"]),
        1,
        str![],
        str![[r#"
error: invalid value 'vm' for '--runtimes <RUNTIME>': it is one of bare_metal, container, kvm

For more information, try '--help'.

"#]],
    );
    assert!(!folder.exists("evidence"));
}

#[test]
fn hosts_that_cannot_be_measured() {
    let folder = Folder::of(WORKLOADS);
    ends(
        folder.infra(&["measure", "host", "r2"]),
        1,
        str![],
        str![[r#"
error: measuring host `r2`: no `host` block has this label

hint: declared: r1; without a name it is this machine

"#]],
    );
    ends(
        folder.infra(&["measure", "host", "r1", "--kernel", "none"]),
        1,
        str![],
        str![[r#"
error: measuring host `r1`: `--kernel none`: No such file or directory (os error 2)

"#]],
    );
    ends(
        folder.infra(&["measure", "host", "r1", "--kernel", "."]),
        1,
        str![],
        str![[r#"
error: measuring host `r1`: `--kernel .` is a folder

"#]],
    );
    ends(
        folder.infra(&["measure", "host", "r1", "--disk", "none"]),
        1,
        str![],
        str![[r#"
error: measuring host `r1`: `--disk none` is no folder

hint: name a folder on the disk that runtimes keep their data on

"#]],
    );
    assert!(!folder.exists("evidence"));
}

#[test]
fn what_measuring_does_not_take() {
    let folder = Folder::of(WORKLOADS);
    ends(
        folder.infra(&["measure", "host", "r1", "--subnet", "10.0.0.0/30"]),
        1,
        str![],
        str![[r#"
error: invalid value '10.0.0.0/30' for '--subnet <CIDR>': it is a network of /8 to /29

For more information, try '--help'.

"#]],
    );
    ends(
        folder.infra(&["measure", "host", "--initramfs", "main.infra.hcl"]),
        1,
        str![],
        str![[r#"
error: the following required arguments were not provided:
  --kernel <FILE>

Usage: infra measure host --kernel <FILE> --initramfs <FILE> [HOST]

For more information, try '--help'.

"#]],
    );
    ends(
        folder.infra(&["measure"]),
        1,
        str![],
        str![[r#"
error: the following required arguments were not provided:
  <WORKLOAD>

Usage: infra measure [OPTIONS] <WORKLOAD>
       infra measure host [OPTIONS] [HOST]

For more information, try '--help'.

"#]],
    );
}

#[test]
fn nothing_that_is_kept_is_written_to() {
    let folder = Folder::of(WORKLOADS);
    ends(
        folder.infra(&["measure", "workload.keeper"]),
        1,
        str![],
        str![[r#"
error: measuring `workload.keeper`: it writes to `volume.data`, whose data a benchmark would touch

hint: measure one with disks of its own, of which a copy gets others; what is `read_only` is no hindrance

"#]],
    );
    ends(
        folder.infra(&["measure", "workload.folder"]),
        1,
        str![],
        str![[r#"
error: measuring `workload.folder`: it writes to `/srv`, whose data a benchmark would touch

hint: measure one with disks of its own, of which a copy gets others; what is `read_only` is no hindrance

"#]],
    );
    ends(
        folder.infra(&["measure", "workload.drive"]),
        1,
        str![],
        str![[r#"
error: measuring `workload.drive`: it writes to `/dev/sdb`, whose data a benchmark would touch

hint: measure one with disks of its own, of which a copy gets others; what is `read_only` is no hindrance

"#]],
    );
    assert!(!folder.exists("evidence"));
}
