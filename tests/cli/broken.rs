//! A state that cannot be read is an error that says how to go on, and never "nothing exists".

use snapbox::str;

use crate::support::{Folder, Ran};
use crate::{WEB, applied, ends};

const STATE: &str = ".infra/state.json";

/// Every command that reads the state says the same and does nothing.
fn refused(folder: &Folder) -> Ran {
    let facts = folder.path().join("hosts");
    let plan = ["plan", "--facts", facts.to_str().unwrap()];
    let first = folder.infra(&plan);
    let others: [&[&str]; 7] = [
        &["apply", "--auto-approve"],
        &["destroy", "--auto-approve"],
        &["diff"],
        &["show"],
        &["output"],
        &["state", "list"],
        &["state", "show", "workload.web"],
    ];
    let before = folder.read(STATE);
    for command in others {
        assert_eq!(folder.infra(command), first, "{command:?}");
    }
    assert_eq!(folder.read(STATE), before);
    first
}

#[test]
fn truncated() {
    let folder = applied();
    let text = folder.read(STATE);
    folder.write(STATE, &text[..text.len() / 2]);
    ends(
        refused(&folder),
        1,
        str![],
        str![[r#"
error: reading [FOLDER]/.infra/state.json: it is truncated at line 46

hint: make it anew from the hosts with `infra state rebuild`

"#]],
    );
}

#[test]
fn empty() {
    let folder = applied();
    folder.write(STATE, "");
    ends(
        refused(&folder),
        1,
        str![],
        str![[r#"
error: reading [FOLDER]/.infra/state.json: it is empty

hint: make it anew from the hosts with `infra state rebuild`

"#]],
    );
}

#[test]
fn edited() {
    let folder = applied();
    let text = folder.read(STATE).replace("10.9.0.2", "10.9.0.3");
    folder.write(STATE, text);
    ends(
        refused(&folder),
        1,
        str![],
        str![[r#"
error: reading [FOLDER]/.infra/state.json: its content does not have its checksum: it was damaged or edited

hint: make it anew from the hosts with `infra state rebuild`

"#]],
    );
}

#[test]
fn no_json() {
    let folder = applied();
    folder.write(STATE, "hello");
    ends(
        refused(&folder),
        1,
        str![],
        str![[r#"
error: reading [FOLDER]/.infra/state.json: it is no JSON: expected value at line 1 column 1

hint: make it anew from the hosts with `infra state rebuild`

"#]],
    );
}

#[test]
fn of_a_newer_version() {
    let folder = applied();
    let text = folder.read(STATE).replacen(
        "\"format_version\": \"1.1\"",
        "\"format_version\": \"2.0\"",
        1,
    );
    folder.write(STATE, text);
    ends(
        refused(&folder),
        1,
        str![],
        str![[r#"
error: reading [FOLDER]/.infra/state.json: it has format version 2.0; this `infra` reads 1.1

hint: use the `infra` that wrote it, or a newer one

"#]],
    );
}

#[test]
fn of_another_project() {
    let folder = applied();
    folder.write(
        "main.infra.hcl",
        format!("infra {{ project = \"other\" }}\n{WEB}"),
    );
    ends(
        refused(&folder),
        1,
        str![],
        str![[r#"
error: reading [FOLDER]/.infra/state.json: it is the state of project `demo`, not of `other`

hint: name the project in `infra { project = "…" }`, or give another file with `--state`

"#]],
    );
}

#[test]
fn lost_and_a_backup_shows_that_there_was_one() {
    let folder = applied();
    folder.applied(&folder.plan().unwrap());
    assert!(folder.exists(".infra/state.json.backup"));
    std::fs::remove_file(folder.path().join(STATE)).unwrap();
    let facts = folder.path().join("hosts");
    let ran = folder.infra(&["plan", "--facts", facts.to_str().unwrap()]);
    ends(
        ran,
        1,
        str![],
        str![[r#"
error: reading [FOLDER]/.infra/state.json: it is missing, though [FOLDER]/.infra/state.json.backup shows that there was one

hint: restore the state before it (`cp [FOLDER]/.infra/state.json.backup [FOLDER]/.infra/state.json`), or make it anew from the hosts with `infra state rebuild`

"#]],
    );
}

#[test]
fn damaged_and_the_one_before_it_is_there() {
    let folder = applied();
    folder.applied(&folder.plan().unwrap());
    folder.write(STATE, "{");
    ends(
        refused(&folder),
        1,
        str![],
        str![[r#"
error: reading [FOLDER]/.infra/state.json: it is truncated at line 1

hint: restore the state before it (`cp [FOLDER]/.infra/state.json.backup [FOLDER]/.infra/state.json`), or make it anew from the hosts with `infra state rebuild`

"#]],
    );
}

#[test]
fn a_damaged_journal() {
    let folder = applied();
    folder.write(".infra/journal", "what is this\n");
    ends(
        refused(&folder),
        1,
        str![],
        str![[r#"
error: reading [FOLDER]/.infra/journal: its first line is not whole

hint: make it anew from the hosts with `infra state rebuild`

"#]],
    );
}

#[test]
fn a_key_of_the_wrong_size() {
    let folder = applied();
    folder.write(".infra/key", "short");
    let ran = folder.infra(&["validate"]);
    ends(
        ran,
        1,
        str![],
        str![[r#"
error: reading [FOLDER]/.infra/key: it has 5 bytes instead of 32

hint: put the right one back from a backup, or remove it: then every secret counts as changed

"#]],
    );
}

#[cfg(unix)]
#[test]
fn what_is_kept_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::of(WEB);
    let facts = folder.path().join("hosts");
    let ran = folder.infra(&["plan", "--facts", facts.to_str().unwrap()]);
    assert_eq!(ran.exit, 0, "{ran:?}");
    folder.applied(&folder.plan().unwrap());
    for file in [STATE, ".infra/key"] {
        let mode = std::fs::metadata(folder.path().join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}
