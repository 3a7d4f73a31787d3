//! Plans on the disk and who applies them: damaged, foreign, stale, unapproved.

use snapbox::str;

use crate::engine::Engine;
use crate::support::{Folder, Noon, Ran, tester};
use crate::{WEB, applied, ends};

fn planned() -> (Folder, String) {
    let folder = Folder::of(WEB).with_key();
    let text = infra_plan::write(&folder.plan().unwrap());
    folder.write("it.plan", &text);
    (folder, text)
}

fn apply(folder: &Folder) -> Ran {
    let plan = folder.path().join("it.plan");
    folder.infra(&["apply", plan.to_str().unwrap()])
}

#[test]
fn show_a_plan_file() {
    let (folder, _) = planned();
    let plan = folder.path().join("it.plan");
    ends(
        folder.infra(&["show", plan.to_str().unwrap()]),
        0,
        str![[r#"
web  container on r1  CPUs 1-3,5-7 shared · lan 10.9.0.2

network.lan
  + r1/docker/network/demo.lan
      subnet   10.9.0.0/24
      gateway  10.9.0.1
      bridge   br-ce1c8b114b

workload.web
  + r1/docker/container/demo.web
      image     registry.example/web:1
      env       PASSWORD=(sensitive)
      networks  demo.lan 10.9.0.2
      cpus      1-3,5-7
      + r1/docker/image/registry.example/web:1

Outputs
  + address   "10.9.0.2"
  + all       {addresses = {lan = "10.9.0.2"}}
  + password  (sensitive)
  + port      80

3 to create, 0 to delete. Nothing has been changed.

"#]],
        str![],
    );
    let json = folder.infra(&["show", "--json", plan.to_str().unwrap()]);
    let document: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(document["project"], "demo");
}

#[test]
fn no_such_plan() {
    let folder = Folder::of(WEB);
    ends(
        apply(&folder),
        1,
        str![],
        str![[r#"
error: reading the plan [FOLDER]/it.plan: there is no such file

hint: make one with `infra plan --out FILE`

"#]],
    );
}

#[test]
fn a_damaged_plan() {
    let (folder, text) = planned();
    folder.write("it.plan", &text[..30]);
    ends(
        apply(&folder),
        1,
        str![],
        str![[r#"
error: reading the plan [FOLDER]/it.plan: it is not a plan file: EOF while parsing a value at line 3 column 1

hint: make one with `infra plan --out FILE`

"#]],
    );
    folder.write("it.plan", "{}");
    ends(
        apply(&folder),
        1,
        str![],
        str![[r#"
error: reading the plan [FOLDER]/it.plan: it is not a plan file: it states no `format_version`

hint: make one with `infra plan --out FILE`

"#]],
    );
    folder.write("it.plan", text.replace("\"steps\"", "\"stpes\""));
    ends(
        apply(&folder),
        1,
        str![],
        str![[r#"
error: reading the plan [FOLDER]/it.plan: its content does not have its checksum: it was damaged or edited

hint: make one with `infra plan --out FILE`

"#]],
    );
    let edited = text.replace("registry.example/web:1", "registry.example/web:2");
    assert_ne!(edited, text);
    folder.write("it.plan", edited);
    ends(
        apply(&folder),
        1,
        str![],
        str![[r#"
error: reading the plan [FOLDER]/it.plan: its content does not have its checksum: it was damaged or edited

hint: make one with `infra plan --out FILE`

"#]],
    );
    folder.write("it.plan", [0xff, 0xfe]);
    ends(
        apply(&folder),
        1,
        str![],
        str![[r#"
error: reading the plan [FOLDER]/it.plan: it is not a plan file: it is no text

hint: make one with `infra plan --out FILE`

"#]],
    );
}

/// A number is enough: what was agreed to is what is done.
#[test]
fn an_edited_plan() {
    let (folder, text) = planned();
    let edited = text.replace("10.9.0.2", "10.9.0.3");
    assert_ne!(edited, text);
    folder.write("it.plan", edited);
    ends(
        apply(&folder),
        1,
        str![],
        str![[r#"
error: reading the plan [FOLDER]/it.plan: its content does not have its checksum: it was damaged or edited

hint: make one with `infra plan --out FILE`

"#]],
    );
}

/// The same serial, of a state that has no past in common with the one it was made on.
#[test]
fn a_plan_of_another_lineage_is_stale() {
    let folder = applied();
    let mut plan = folder.plan().unwrap();
    plan.basis.lineage = Some("theirs".to_owned());
    folder.write("it.plan", infra_plan::write(&plan));
    ends(
        apply(&folder),
        5,
        str![],
        str![[r#"
error: applying the plan: it was made on serial 1 of lineage theirs, but now there is serial 1 of lineage lineage

hint: plan again

"#]],
    );
}

#[test]
fn a_plan_of_a_newer_format() {
    let (folder, text) = planned();
    let newer = text.replacen(
        "\"format_version\": \"1.2\"",
        "\"format_version\": \"2.0\"",
        1,
    );
    assert_ne!(newer, text);
    folder.write("it.plan", newer);
    ends(
        apply(&folder),
        1,
        str![],
        str![[r#"
error: reading the plan [FOLDER]/it.plan: it is a plan of format 2.0, and this infra reads 1.x

hint: make one with `infra plan --out FILE`

"#]],
    );
}

#[test]
fn a_plan_of_another_project() {
    let (folder, _) = planned();
    folder.write(
        "main.infra.hcl",
        format!("infra {{ project = \"other\" }}\n{WEB}"),
    );
    ends(
        apply(&folder),
        1,
        str![],
        str![[r#"
error: applying the plan: it is a plan of project `demo`, and this is `other`

hint: go to the folder the plan was made in, or use `-C DIR`

"#]],
    );
}

#[test]
fn a_plan_made_on_another_state_is_stale() {
    let (folder, _) = planned();
    folder.applied(&folder.plan().unwrap());
    ends(
        apply(&folder),
        5,
        str![],
        str![[r#"
error: applying the plan: it was made on no state, but now there is serial 1 of lineage lineage

hint: plan again

"#]],
    );
}

#[test]
fn one_apply_at_a_time() {
    let (folder, _) = planned();
    let lock = folder.store().lock(tester(), None, &Noon).unwrap();
    ends(
        apply(&folder),
        6,
        str![],
        str![[r#"
error: locking [FOLDER]/.infra/lock: it is held by tester@here (pid 1) since 2026-01-01T12:00:00Z, `infra apply`

hint: wait until it has ended, then run this again; a holder that died on another host loses it within a minute, or at once by `infra state unlock 008113ac`

"#]],
    );
    for command in [&["apply"][..], &["destroy"], &["state", "rebuild"]] {
        assert_eq!(folder.infra(command).exit, 6, "{command:?}");
    }
    let looking = folder.infra(&["show"]);
    assert_eq!(looking.exit, 0, "who only looks needs no lock: {looking:?}");
    let waiting = folder.infra(&["apply", "--lock-timeout", "1s"]);
    assert_eq!(waiting.exit, 6, "{waiting:?}");
    drop(lock);
    assert_ne!(apply(&folder).exit, 6);
}

#[test]
fn recorded_facts_are_not_applied() {
    let folder = Folder::of(WEB);
    ends(
        folder.infra(&["apply", "--facts", "hosts"]),
        1,
        str![],
        str![[r#"
error: applying: a plan made from recorded facts cannot be applied: nothing was looked at

hint: leave out `--facts`

"#]],
    );
    ends(
        folder.infra(&["plan", "--facts", "hosts", "--out", "it.plan"]),
        1,
        str![],
        str![[r#"
error: the argument '--facts <DIR>' cannot be used with '--out <FILE>'

Usage: infra plan --facts <DIR>

For more information, try '--help'.

"#]],
    );
}

#[test]
fn without_a_terminal_nothing_is_asked_and_nothing_done() {
    let folder = Folder::of(
        r#"
workload "web" {
  container { image = "registry.example/web@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" }
}
"#,
    );
    let engine = Engine::start(&folder);
    let mut command = folder.command(["apply"]);
    command.env("INFRA_DOCKER_ENDPOINT", &engine.endpoint);
    let ran = folder.run(&mut command, "yes\n");
    assert_eq!(ran.exit, 1, "{ran:?}");
    assert!(
        ran.stdout.contains("workload.web"),
        "the plan is shown: {ran:?}"
    );
    snapbox::assert_data_eq!(
        ran.stderr,
        str![[r#"
error: applying: nobody is there to say yes: this is no terminal

hint: pass `--auto-approve`, or make a plan with `infra plan --out FILE` and apply that

"#]]
    );
    assert_eq!(engine.told(), [""; 0]);
    assert!(!folder.exists(".infra/state.json") && !folder.exists(".infra/journal"));
}

#[test]
fn changes_are_told_by_the_exit_code_where_it_is_asked_for() {
    let (folder, _) = planned();
    let facts = folder.path().join("hosts");
    let facts = facts.to_str().unwrap();
    let plan = |folder: &Folder| folder.infra(&["plan", "--detailed-exitcode", "--facts", facts]);
    assert_eq!(plan(&folder).exit, 2);
    assert_eq!(folder.infra(&["plan", "--facts", facts]).exit, 0);
    assert_eq!(plan(&applied()).exit, 0);
}

/// The plan knows of moves that the state does not know yet: what is shown of it is shown against that.
#[test]
fn a_plan_with_pending_moves_is_shown_against_the_moved_state() {
    let folder = applied();
    let moved = WEB.replace("workload \"web\"", "workload \"site\"")
        + "\nmoved {\n  from = workload.web\n  to   = workload.site\n}\n";
    folder.write(
        "main.infra.hcl",
        moved.replace("workload.web.", "workload.site."),
    );
    folder.write("it.plan", infra_plan::write(&folder.plan().unwrap()));
    let plan = folder.path().join("it.plan");
    ends(
        folder.infra(&["show", plan.to_str().unwrap()]),
        0,
        str![[r#"
site  container on r1  CPUs 1-3,5-7 shared · lan 10.9.0.2 · stays

Moved: workload.web is workload.site now, and keeps its names

Only the state changes: no object is touched.

"#]],
        str![],
    );
}
