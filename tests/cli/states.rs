//! The state changed and checked by hand.

use serde_json::Value;
use snapbox::str;

use crate::support::{Folder, Noon, Ran, tester};
use crate::{applied, ends};

fn state(folder: &Folder) -> Value {
    serde_json::from_str(&folder.read(".infra/state.json")).unwrap()
}

/// The key of tests is written like any other file.
fn close_key(folder: &Folder) {
    use std::os::unix::fs::PermissionsExt;
    let key = folder.path().join(".infra/key");
    std::fs::set_permissions(key, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn facts(folder: &Folder) -> Ran {
    let facts = folder.path().join("hosts");
    let args = [
        "plan",
        "--detailed-exitcode",
        "--facts",
        facts.to_str().unwrap(),
    ];
    folder.infra(&args)
}

#[test]
fn what_is_forgotten_is_let_go_of() {
    let folder = applied();
    ends(
        folder.infra(&["state", "rm", "workload.w*"]),
        0,
        str![[r#"
Forgotten: r1/docker/container/demo.web
Forgotten: r1/docker/image/registry.example/web:1

"#]],
        str![[r#"
They stay as they are, with their marks: what is still declared is taken back by the next plan, and `infra state rebuild` finds all of them again. `removed { from = …  lifecycle { destroy = false } }` leaves them for good.

"#]],
    );
    let state = state(&folder);
    assert_eq!(state["serial"], 2);
    assert_eq!(state["workloads"], serde_json::json!({}));
    assert!(state["resources"]["r1/docker/network/demo.lan"].is_object());
    assert_eq!(state["released"][0], "r1/docker/container/demo.web");
    ends(
        folder.infra(&["state", "rm", "workload.web"]),
        1,
        str![],
        str![[r#"
error: forgetting `workload.web`: the state knows nothing of it

hint: it knows: `network.lan`

"#]],
    );
}

#[test]
fn what_is_moved_keeps_its_names() {
    let folder = applied();
    ends(
        folder.infra(&[
            "state",
            "mv",
            "workload.web",
            "module.m.workload.site[\"a\"]",
        ]),
        0,
        str![[r#"
Moved: workload.web is module.m.workload.site["a"] now

"#]],
        str![[r#"
The objects keep their names and marks. Write `moved { from = workload.web  to = module.m.workload.site["a"] }` as well: without it `infra state rebuild` finds them under the address they had.

"#]],
    );
    let list = folder.infra(&["state", "list"]).stdout;
    assert!(
        list.contains("module.m.workload.site[\"a\"]\tr1/docker/container/demo.web"),
        "{list}"
    );
    let back = ["state", "mv", "module.m", "module.other"];
    assert_eq!(folder.infra(&back).exit, 0);
    assert!(
        folder
            .infra(&["state", "list"])
            .stdout
            .contains("module.other.workload.site")
    );
    let home = [
        "state",
        "mv",
        "module.other.workload.site[\"a\"]",
        "workload.web",
    ];
    assert_eq!(folder.infra(&home).exit, 0);
    assert_eq!(facts(&folder).exit, 0, "as if nothing had been");
    assert!(state(&folder).get("made_as").is_none());
}

#[test]
fn moves_that_cannot_be() {
    let folder = applied();
    for (from, to) in [
        ("workload.wbe", "workload.b"),
        ("workload.web", "network.lan"),
        ("network.lan", "network.lan[0].x"),
        ("host.r1", "host.r2"),
        ("thing.a", "thing.b"),
    ] {
        let ran = folder.infra(&["state", "mv", from, to]);
        assert_eq!(ran.exit, 1, "{from} {to}: {ran:?}");
        assert!(
            ran.stderr
                .starts_with(&format!("error: moving `{from}` to `{to}`: ")),
            "{ran:?}"
        );
    }
    assert_eq!(state(&folder)["serial"], 1);
}

#[test]
fn what_is_pulled_can_be_pushed_but_not_over_what_is_newer() {
    let folder = applied();
    let pulled = folder.infra(&["state", "pull"]).stdout;
    assert_eq!(pulled, folder.read(".infra/state.json"));
    let push = |text: &str, args: &[&str]| {
        let mut command = folder.command(["state", "push", "-"]);
        folder.run(command.args(args), text)
    };
    ends(
        push(&pulled, &[]),
        0,
        str![[r#"
State pushed: serial 1, 3 objects.

"#]],
        str![],
    );
    assert_eq!(state(&folder)["serial"], 1, "the same is no change");
    folder.infra(&["state", "rm", "workload.web"]);
    ends(
        push(&pulled, &[]),
        1,
        str![],
        str![[r#"
error: pushing the state: its serial is 1, and here is 2 already

hint: `infra state pull` prints the state that is here; `--force` pushes all the same

"#]],
    );
    let forced = push(&pulled, &["--force"]);
    assert_eq!(forced.exit, 0, "{forced:?}");
    assert_eq!(state(&folder)["serial"], 3, "above both");
    assert!(folder.infra(&["state", "list"]).stdout.contains("demo.web"));
    for (damaged, args) in [
        (pulled.replace("10.9.0.2", "10.9.0.3"), &["--force"][..]),
        (pulled.replace("\"1.1\"", "\"2.0\""), &["--force"]),
        (String::new(), &[]),
    ] {
        assert_eq!(push(&damaged, args).exit, 1);
    }
    let other = Folder::of("infra { project = \"other\" }\nhost \"r1\" {}\n").with_key();
    let mut command = other.command(["state", "push", "-"]);
    ends(
        other.run(&mut command, &pulled),
        1,
        str![],
        str![[r#"
error: pushing the state: it is of project `demo`, not of `other`

hint: go to that project's folder, or use `-C DIR`

"#]],
    );
}

#[test]
fn another_lineage_has_no_common_past() {
    let folder = applied();
    let other = applied();
    let text = other.infra(&["state", "pull"]).stdout;
    let mut state: Value = serde_json::from_str(&text).unwrap();
    state["lineage"] = "theirs".into();
    state["serial"] = 9.into();
    state.as_object_mut().unwrap().remove("checksum");
    let sum = infra_api::names::digest(&[&state.to_string()]);
    state["checksum"] = format!("sha256:{sum}").into();
    folder.write("theirs.json", state.to_string());
    let file = folder.path().join("theirs.json");
    ends(
        folder.infra(&["state", "push", file.to_str().unwrap()]),
        1,
        str![],
        str![[r#"
error: pushing the state: it is of another lineage (theirs, and here is lineage): they have no common past

hint: `infra state pull` prints the state that is here; `--force` pushes all the same

"#]],
    );
}

#[test]
fn a_lock_is_taken_by_its_id_from_who_is_gone() {
    let folder = applied();
    let unlock = |id: &str| folder.infra(&["state", "unlock", id]);
    ends(
        unlock("01234567"),
        1,
        str![],
        str![[r#"
error: unlocking [FOLDER]/.infra/lock: nobody holds it

"#]],
    );
    let lock = folder.store().lock(tester(), None, &Noon).unwrap();
    let id = tester().id();
    ends(
        unlock("01234567"),
        6,
        str![],
        str![[r#"
error: unlocking [FOLDER]/.infra/lock: it is held by tester@here (pid 1) since 2026-01-01T12:00:00Z, `infra apply`, whose lock is 008113ac

hint: give that id if that is the one you mean

"#]],
    );
    ends(
        unlock(&id),
        6,
        str![],
        str![[r#"
error: unlocking [FOLDER]/.infra/lock: tester@here (pid 1) since 2026-01-01T12:00:00Z, `infra apply` is alive and holds it

hint: wait until it has ended, or stop that process

"#]],
    );
    drop(lock);
    let far = serde_json::json!({
        "user": "ann", "host": "far", "pid": 7, "command": "apply", "started": "2026-01-01T12:00:00Z",
        "lease_until": u64::MAX,
    });
    folder.write(".infra/lock", far.to_string());
    assert_eq!(folder.infra(&["state", "rm", "workload.web"]).exit, 6);
    let held = serde_json::from_value::<infra_state::Holder>(far).unwrap();
    ends(
        unlock(&held.id()),
        0,
        str![[r#"
Unlocked: it was held by ann@far (pid 7) since 2026-01-01T12:00:00Z, `infra apply`.

"#]],
        str![],
    );
    assert_eq!(folder.infra(&["state", "rm", "workload.web"]).exit, 0);
}

#[test]
fn files_are_checked() {
    let folder = applied();
    let fsck = || folder.infra(&["state", "fsck", "--offline"]);
    assert_eq!(fsck().exit, 1, "everybody may read the key");
    close_key(&folder);
    ends(
        fsck(),
        0,
        str![[r#"
ok   [FOLDER]/.infra/state.json  serial 1, 3 objects
ok   [FOLDER]/.infra/key  32 bytes

"#]],
        str![],
    );
    let whole = folder.read(".infra/state.json");
    folder.write(".infra/state.json", whole.replace("10.9.0.2", "10.9.0.3"));
    folder.write(".infra/key", "short");
    ends(
        fsck(),
        1,
        str![[r#"
bad  [FOLDER]/.infra/state.json  its content does not have its checksum: it was damaged or edited
bad  [FOLDER]/.infra/key  it has 5 bytes instead of 32

"#]],
        str![[r#"
error: reading [FOLDER]/.infra/state.json: its content does not have its checksum: it was damaged or edited

hint: make it anew from the hosts with `infra state rebuild`
error: reading [FOLDER]/.infra/key: it has 5 bytes instead of 32

hint: put the right one back from a backup, or remove it: then every secret counts as changed

"#]],
    );
}

#[test]
fn nothing_applied_is_nothing_to_change() {
    let folder = Folder::of("host \"r1\" {}\n").with_key();
    for args in [
        &["state", "rm", "*"][..],
        &["state", "pull"],
        &["state", "mv", "workload.a", "workload.b"],
    ] {
        assert_eq!(folder.infra(args).exit, 1, "{args:?}");
    }
    close_key(&folder);
    assert_eq!(folder.infra(&["state", "fsck", "--offline"]).exit, 0);
    assert!(!folder.exists(".infra/state.json"));
}
