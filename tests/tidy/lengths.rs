//! How long things may be. What is longer today stands here and may only get shorter.

use crate::hold;
use crate::reading::functions;
use crate::sources::sources;

const FUNCTION: usize = 70;
const FILE: usize = 500;

/// (file, function, lines).
const LONG_FUNCTIONS: &[(&str, &str, usize)] = &[
    ("tests/cli/shown.rs", "one_output", 73),
    ("tests/cli/shown.rs", "state_show", 77),
];

/// (file, lines without tests inside).
const LONG_FILES: &[(&str, usize)] = &[("tests/lang.rs", 518)];

#[test]
fn functions_are_short() {
    let mut complaints = Vec::new();
    let mut long = Vec::new();
    for source in sources(&["src", "providers", "tests", "benches"]) {
        for (name, lines) in functions(&source.code)
            .into_iter()
            .filter(|f| f.1 > FUNCTION)
        {
            let listed = LONG_FUNCTIONS
                .iter()
                .find(|l| (l.0, l.1) == (&source.path, &name));
            if listed.is_none_or(|l| lines > l.2) {
                complaints.push(source.complain(&format!("`{name}` has {lines} lines")));
            }
            long.push((source.path.clone(), name));
        }
    }
    for (path, name, _) in LONG_FUNCTIONS {
        if !long.contains(&((*path).to_owned(), (*name).to_owned())) {
            complaints.push(format!(
                "{path}: `{name}` is short now: strike it from the list"
            ));
        }
    }
    hold(
        &complaints,
        "Part it: a function has at most 70 lines, and most have ten.",
    );
}

#[test]
fn files_are_short() {
    let mut complaints = Vec::new();
    for source in sources(&["src", "providers", "tests", "benches"]) {
        let lines = source.code.lines().count();
        let listed = LONG_FILES.iter().find(|l| l.0 == source.path);
        match listed {
            None if lines > FILE => complaints.push(source.complain(&format!("{lines} lines"))),
            Some((_, may)) if lines > *may => {
                complaints.push(source.complain(&format!("{lines} lines, was {may}")))
            }
            Some(_) if lines <= FILE => {
                complaints.push(source.complain("is short now: strike it from the list"))
            }
            _ => {}
        }
    }
    hold(
        &complaints,
        "Part it by concern: a file has at most 500 lines beside its tests.",
    );
}
