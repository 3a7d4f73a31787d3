//! Which words stand where.

use std::fs;

use crate::hold;
use crate::layers::module;
use crate::reading::has_word;
use crate::sources::{Source, files, relative, sources};

/// Crates that are pure: the same inputs, the same bytes.
const PURE: [&str; 7] = [
    "src/diag/",
    "src/expr/",
    "src/lang/",
    "src/place/",
    "src/plan/",
    "src/suitability/",
    "providers/api/",
];

/// Modules of the root crate that are the shell. All others are pure.
const SHELL: [&str; 2] = ["world", "cli"];

const OUTSIDE: [&str; 8] = [
    "std::fs",
    "std::env",
    "std::process",
    "std::net::TcpStream",
    "std::os::unix::net",
    "tokio",
    "rustix",
    "tempfile",
];

const FICKLE: [&str; 9] = [
    "HashMap",
    "HashSet",
    "SystemTime",
    "Instant",
    "UNIX_EPOCH",
    "RandomState",
    "getrandom",
    "thread_rng",
    "rand",
];

const PRINTING: [&str; 5] = ["println!", "print!", "eprintln!", "eprint!", "dbg!"];

fn is_pure(source: &Source) -> bool {
    let of_the_core = module(source).is_some_and(|m| !SHELL.contains(&m));
    !source.is_test && (of_the_core || PURE.iter().any(|p| source.path.starts_with(p)))
}

/// Complaints about every one of these words in sources of a kind.
fn banned(folders: &[&str], of: impl Fn(&Source) -> bool, words: &[&str]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources(folders).iter().filter(|s| of(s)) {
        for word in words.iter().filter(|w| has_word(&source.code, w)) {
            complaints.push(source.complain(&format!("`{word}`")));
        }
    }
    complaints
}

#[test]
fn the_core_touches_nothing() {
    hold(
        &banned(&["src", "providers/api"], is_pure, &OUTSIDE),
        "Files, environment, processes and sockets are `world`'s and `cli`'s: take the value as an argument.",
    );
}

#[test]
fn the_core_is_the_same_every_time() {
    hold(
        &banned(&["src", "providers/api"], is_pure, &FICKLE),
        "Use BTreeMap and BTreeSet; take time and chance as arguments.",
    );
}

#[test]
fn one_file_prints() {
    let silent = |s: &Source| {
        !s.is_test && s.path != "src/cli/ui.rs" && !s.path.starts_with("src/cli/progress")
    };
    hold(
        &banned(&["src", "providers"], silent, &PRINTING),
        "Return what is to be said; src/cli/ui.rs says it.",
    );
}

#[test]
fn nothing_panics_by_unwrap() {
    let complaints = banned(&["src", "providers"], |s| !s.is_test, &[".unwrap()"]);
    hold(
        &complaints,
        "Handle it, or say with `expect` why it cannot be.",
    );
}

#[test]
fn nothing_is_left_to_do() {
    // Put together, so that this file does not hold them.
    let notes = [["TO", "DO"], ["FIX", "ME"], ["XX", "X"]].map(|halves| halves.concat());
    let macros = [
        format!("todo{}", '!'),
        format!("unimplemented{}", '!'),
        format!("#[{}", "ignore"),
    ];
    let mut complaints = Vec::new();
    for source in sources(&["src", "providers", "tests", "benches"]) {
        let noted = notes.iter().filter(|w| has_word(&source.text, w));
        let left = macros.iter().filter(|w| {
            source.code.contains(w.as_str()) || source.is_test && source.text.contains(w.as_str())
        });
        complaints.extend(
            noted
                .chain(left)
                .map(|w| source.complain(&format!("`{w}`"))),
        );
    }
    hold(&complaints, "Do it, or make it an issue.");
}

#[test]
fn every_file_says_what_it_is() {
    let silent = sources(&["src", "providers", "tests", "benches"]);
    let silent = silent.iter().filter(|s| !s.text.starts_with("//! "));
    let complaints: Vec<String> = silent
        .map(|s| s.complain("does not open with `//!`"))
        .collect();
    hold(
        &complaints,
        "Open it with a line that says what it is and what it does not do.",
    );
}

/// Text that names a machine or a place only some can reach.
#[test]
fn nothing_names_a_machine() {
    let places = ["work", "root", "home"].map(|folder| format!("/{folder}/"));
    let proc = |line: &str| line.contains("/proc/");
    let mut complaints = Vec::new();
    let tracked = [
        "src",
        "providers",
        "tests",
        "examples",
        "modules",
        "docs",
        "schemas",
        "benches",
        ".ci",
        ".config",
    ];
    let top = [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "Cargo.toml",
        "Cargo.lock",
        "deny.toml",
        "clippy.toml",
    ];
    let all = tracked.iter().flat_map(|f| files(f));
    for path in all.chain(top.map(|f| crate::sources::root().join(f))) {
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        for line in text.lines() {
            let place = places
                .iter()
                .find(|p| line.contains(p.as_str()) && !proc(line));
            let host = hosts(line).find(|h| !is_public(h));
            if let Some(word) = place.cloned().or(host) {
                complaints.push(format!("{}: `{word}`", relative(&path)));
            }
        }
    }
    hold(
        &complaints,
        "Write a path relative to the repository, a host under example.net or an address of a test.",
    );
}

fn hosts(line: &str) -> impl Iterator<Item = String> {
    let after = |scheme: &str| -> Vec<String> {
        let parts = line.split(scheme).skip(1);
        let host = |c: &char| c.is_ascii_alphanumeric() || ".-".contains(*c);
        parts
            .map(|p| p.chars().take_while(host).collect())
            .collect()
    };
    let found = [after("http://"), after("https://")].concat();
    found.into_iter().filter(|h: &String| h.contains('.'))
}

fn is_public(host: &str) -> bool {
    let known = [
        "github.com",
        "json-schema.org",
        "www.apache.org",
        "keepachangelog.com",
        "semver.org",
        "docs.docker.com",
        "libvirt.org",
    ];
    let private = host.starts_with("10.") || host.starts_with("192.168.") || host == "127.0.0.1";
    private
        || known.contains(&host)
        || ["example.net", "example.com", "example.org"]
            .iter()
            .any(|e| host.ends_with(e))
}
