//! `infra explain`: what a place costs, what loses and by what, and what would make a workload fit.

use snapbox::{file, str};

use crate::ends;
use crate::support::{Folder, Ran};

const FLEET: &str = r#"
host "edge" {}
host "r1" {}

workload "db" {
  cpus {
    count   = 2
    policy  = "dedicated"
    threads = "require"
  }
  memory { size = "3GiB" }
  container { image = "registry.example/db:1" }
}
"#;

const LARGE: &str = r#"
workload "large" {
  cpus {
    count  = 4
    policy = "dedicated"
    l3     = "require"
  }
  memory { size = "6GiB" }
  container { image = "registry.example/large:1" }
}
"#;

fn explain(folder: &Folder, address: &str) -> Ran {
    let facts = folder.path().join("hosts");
    folder.infra(&["explain", address, "--facts", facts.to_str().unwrap()])
}

#[test]
fn a_place_and_what_loses() {
    let folder = Folder::of(FLEET).with_key();
    ends(
        explain(&folder, "workload.db"),
        0,
        file!["explain/place.txt"],
        str![],
    );
}

#[test]
fn no_place_and_what_would_make_one() {
    let folder = Folder::of(FLEET).with_key();
    folder.applied(&folder.plan().unwrap());
    folder.write("more.infra.hcl", LARGE.replace("count  = 4", "count  = 7"));
    ends(
        explain(&folder, "workload.large"),
        0,
        file!["explain/none.txt"],
        str![],
    );
    let facts = folder.path().join("hosts");
    let planned = folder.infra(&["plan", "--facts", facts.to_str().unwrap()]);
    ends(planned, 1, str![], file!["explain/refused.txt"]);
    // What is said to fit fits.
    folder.write("more.infra.hcl", LARGE);
    let planned = folder.infra(&["plan", "--facts", facts.to_str().unwrap()]);
    assert_eq!(planned.exit, 0, "{}", planned.stderr);
}
