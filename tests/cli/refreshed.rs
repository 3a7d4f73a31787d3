//! `--refresh-only`: the state is brought to what the world is, and nothing outside is told anything. That what was
//! changed is recorded as it is needs a world that can be changed: see `live`.

use std::process::Command;

use snapbox::str;

use crate::ends;
use crate::engine::Engine;
use crate::support::{Folder, Ran};

const TWO: &str = r#"
host "r1" {}
workload "one" {
  container { image = "registry.example/a@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" }
}
workload "other" {
  container { image = "registry.example/a@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" }
}
"#;

/// What was applied, on an engine that has lost it all.
fn lost() -> (Folder, Engine) {
    let folder = Folder::of(TWO).with_key();
    folder.applied(&folder.plan().unwrap());
    let engine = Engine::start(&folder);
    (folder, engine)
}

fn infra(folder: &Folder, engine: &Engine, args: &[&str]) -> Ran {
    let mut command: Command = folder.command(args.iter().copied());
    command.env("INFRA_DOCKER_ENDPOINT", &engine.endpoint);
    folder.run(&mut command, "")
}

#[test]
fn what_is_gone_is_forgotten() {
    let (folder, engine) = lost();
    let plan = ["plan", "--refresh-only", "--detailed-exitcode"];
    let ran = infra(&folder, &engine, &plan);
    snapbox::assert_data_eq!(
        ran.stdout.clone(),
        str![[r#"
one    container on r1  is gone
other  container on r1  is gone

workload.one
  - r1/docker/container/demo.one  gone, and forgotten
  - r1/docker/image/registry.example/a@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
      gone, and forgotten

workload.other
  - r1/docker/container/demo.other  gone, and forgotten

Only the state changes: no object is touched.

"#]]
    );
    assert_eq!(ran.exit, 3, "nothing but drift: {ran:?}");
    let asked = infra(&folder, &engine, &["apply", "--refresh-only"]);
    assert_eq!(asked.exit, 1, "the state is asked for: {asked:?}");
    let ran = infra(
        &folder,
        &engine,
        &["apply", "--refresh-only", "--auto-approve"],
    );
    assert_eq!(ran.exit, 0, "{ran:?}");
    ends(folder.infra(&["state", "list"]), 0, str![""], str![]);
    assert_eq!(engine.told(), [""; 0]);
}

#[test]
fn of_a_part_only_that_is_forgotten() {
    let (folder, engine) = lost();
    let part = ["--refresh-only", "--target", "workload.one"];
    let json = infra(
        &folder,
        &engine,
        &["plan", "--json", part[0], part[1], part[2]],
    );
    let document: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(document["recorded"][0]["what"], "gone");
    assert_eq!(document["left_out"][0], "workload.other");
    let ran = infra(
        &folder,
        &engine,
        &["apply", "--auto-approve", part[0], part[1], part[2]],
    );
    assert_eq!(ran.exit, 0, "{ran:?}");
    let list = folder.infra(&["state", "list"]).stdout;
    assert!(
        list.contains("workload.other\tr1/docker/container"),
        "{list}"
    );
    assert!(!list.contains("demo.one"), "{list}");
    assert_eq!(engine.told(), [""; 0]);
}

#[test]
fn without_a_state_nothing_is_taken_for_ours() {
    let folder = Folder::of(TWO).with_key();
    let engine = Engine::start(&folder);
    let ran = infra(&folder, &engine, &["plan", "--refresh-only"]);
    assert_eq!(ran.exit, 0, "{ran:?}");
    assert!(ran.stdout.contains("No changes"), "{ran:?}");
}

#[test]
fn concise() {
    let (folder, engine) = lost();
    let ran = infra(&folder, &engine, &["plan", "--concise"]);
    ends(
        ran,
        0,
        str![[r#"
one    container on r1  CPUs 0-1 shared · was on CPUs 1-3,5-7
other  container on r1  CPUs 0-1 shared · was on CPUs 1-3,5-7

workload.one
  + r1/docker/container/demo.one  we made it and it is gone
      + r1/docker/image/registry.example/a@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
          we made it and it is gone

workload.other
  + r1/docker/container/demo.other  we made it and it is gone

3 to create, 0 to delete. Nothing has been changed.

"#]],
        str![],
    );
}
