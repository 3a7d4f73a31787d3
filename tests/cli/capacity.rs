//! `infra capacity`: what it says fits can be declared, and one more cannot.

use snapbox::{file, str};

use crate::ends;
use crate::support::{Folder, Ran};

const FLEET: &str = r#"
host "edge" {}
host "r1" {}

workload "db" {
  host = "r1"
  cpus {
    count   = 2
    policy  = "dedicated"
    threads = "require"
  }
  memory { size = "3GiB" }
  container { image = "registry.example/db:1" }
}

workload "web" {
  host = "r1"
  memory { size = "512MiB" }
  container { image = "registry.example/web:1" }
}
"#;

/// The shapes of a file, N being how many there are of the first.
fn shapes(n: u64) -> String {
    format!(
        r#"
workload "big" {{
  count = {n}
  host  = "r1"
  cpus {{
    count  = 1
    policy = "dedicated"
  }}
  memory {{ size = "1GiB" }}
  container {{ image = "registry.example/big:1" }}
}}
workload "alone" {{
  apart = "host"
  memory {{ size = "64MiB" }}
  container {{ image = "registry.example/web:1" }}
}}
"#
    )
}

fn capacity(folder: &Folder, args: &[&str]) -> Ran {
    let facts = folder.path().join("hosts");
    let args = ["capacity", "--facts", facts.to_str().unwrap()]
        .into_iter()
        .chain(args.iter().copied());
    folder.infra(&args.collect::<Vec<_>>())
}

#[test]
fn of_the_configuration() {
    let folder = Folder::of(FLEET).with_key();
    ends(capacity(&folder, &[]), 0, file!["capacity/own.txt"], str![]);
}

#[test]
fn of_a_file() {
    let folder = Folder::of(FLEET).with_key();
    folder.write("shape.hcl", shapes(1));
    let of = |args: &[&str]| capacity(&folder, &[&["--shape", "shape.hcl"], args].concat());
    ends(of(&[]), 0, file!["capacity/file.txt"], str![]);
    ends(of(&["--json"]), 0, file!["capacity/file.json"], str![]);
}

#[test]
fn so_many_fit_and_no_more() {
    let folder = Folder::of(FLEET).with_key();
    folder.applied(&folder.plan().unwrap());
    folder.write("shape.hcl", shapes(1));
    let told = capacity(&folder, &["--shape", "shape.hcl", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    for (shape, most) in [(0, 2), (1, 3)] {
        assert_eq!(told["shapes"][shape]["count"], most, "{told:#}");
    }
    // Nobody can go elsewhere to make room for the last.
    let planned = |n: u64| {
        folder.write("more.infra.hcl", shapes(n));
        let facts = folder.path().join("hosts");
        folder.infra(&["plan", "--facts", facts.to_str().unwrap()])
    };
    let enough = planned(3);
    assert_eq!(enough.exit, 0, "{}", enough.stderr);
    assert_eq!(planned(4).exit, 1);
}

#[test]
fn a_file_that_is_none() {
    let folder = Folder::of(FLEET).with_key();
    folder.write("shape.hcl", "host \"r9\" {}\n");
    ends(
        capacity(&folder, &["--shape", "shapes.hcl"]),
        1,
        str![],
        str![[r#"
error: reading shapes.hcl: there is no such file

"#]],
    );
    folder.write("shape.hcl", "locals {}\n");
    ends(
        capacity(&folder, &["--shape", "shape.hcl"]),
        1,
        str![],
        str![[r#"
error: reading shapes from shape.hcl: the file declares no workload

hint: write workload blocks in it, as in a configuration

"#]],
    );
}
