//! Who may know whom.

use std::collections::BTreeSet;
use std::fs;

use crate::hold;
use crate::reading::has_word;
use crate::sources::{Source, root, sources};

/// Crates below the root one, and which of ours each may depend on.
const CRATES: [(&str, &[&str]); 16] = [
    ("src/diag", &[]),
    ("src/expr", &["infra-diag"]),
    ("src/lang", &["infra-diag", "infra-expr"]),
    ("src/place", &["infra-api"]),
    ("src/suitability", &["infra-api"]),
    ("src/plan", &["infra-api"]),
    ("src/state", &["infra-api", "infra-plan"]),
    ("src/apply", &["infra-api", "infra-plan", "infra-state"]),
    ("providers/api", &[]),
    ("providers/kernel", &["infra-api", "infra-door"]),
    ("providers/door", &["infra-api"]),
    ("providers/systemd", &["infra-api", "infra-door"]),
    ("providers/software", &["infra-api", "infra-door"]),
    ("providers/docker", &["infra-api"]),
    ("providers/libvirt", &["infra-api"]),
    ("providers/sim", &["infra-api"]),
];

/// Modules of the root crate, and which others each may name. Providers are only for the shell.
const MODULES: [(&str, &[&str]); 22] = [
    (
        "declared",
        &[
            "infra_api",
            "infra_diag",
            "infra_expr",
            "infra_lang",
            "infra_suitability",
        ],
    ),
    ("addresses", &["declared", "infra_api", "infra_diag"]),
    ("inventory", &["declared", "infra_api", "infra_diag"]),
    ("migrates", &["inventory", "infra_api"]),
    (
        "choose",
        &["declared", "inventory", "infra_api", "infra_suitability"],
    ),
    (
        "placing",
        &[
            "choose",
            "declared",
            "inventory",
            "infra_api",
            "infra_place",
        ],
    ),
    (
        "lower",
        &["declared", "infra_api", "infra_diag", "infra_plan"],
    ),
    (
        "configuration",
        &[
            "addresses",
            "declared",
            "infra_api",
            "infra_diag",
            "infra_expr",
            "infra_lang",
        ],
    ),
    ("generate", &["infra_api"]),
    ("outputs", &["configuration", "infra_expr", "infra_plan"]),
    (
        "refusals",
        &[
            "declared",
            "placing",
            "infra_api",
            "infra_diag",
            "infra_lang",
            "infra_plan",
        ],
    ),
    (
        "recover",
        &["declared", "infra_api", "infra_lang", "infra_plan"],
    ),
    (
        "kept",
        &[
            "declared",
            "recover",
            "infra_api",
            "infra_lang",
            "infra_plan",
        ],
    ),
    (
        "select",
        &["declared", "infra_api", "infra_lang", "infra_plan"],
    ),
    (
        "moved",
        &["infra_api", "infra_diag", "infra_lang", "infra_plan"],
    ),
    (
        "reference",
        &[
            "decide",
            "declared",
            "infra_api",
            "infra_expr",
            "infra_lang",
            "infra_suitability",
            "verify",
        ],
    ),
    (
        "check",
        &[
            "decide",
            "declared",
            "inventory",
            "lower",
            "infra_api",
            "infra_diag",
            "infra_lang",
            "infra_plan",
        ],
    ),
    (
        "decide",
        &[
            "infra_suitability",
            "addresses",
            "check",
            "choose",
            "declared",
            "inventory",
            "lower",
            "placing",
            "refusals",
            "infra_api",
            "infra_diag",
            "infra_lang",
            "infra_plan",
        ],
    ),
    (
        "schemas",
        &[
            "cli",
            "infra_api",
            "infra_apply",
            "infra_plan",
            "infra_state",
            "infra_suitability",
        ],
    ),
    ("verify", &["infra_api"]),
    ("world", &["*"]),
    ("cli", &["*"]),
];

/// Words that are above a module's concern.
const FOREIGN: [(&str, &[&str]); 3] = [
    ("choose", &["serde_json", "xml", "Resource", "Target"]),
    ("place", &["serde_json", "xml", "Resource", "Target"]),
    ("inventory", &["serde_json", "Resource", "Target"]),
];

/// Modules of a crate of its own have edges of their own.
pub(crate) fn module(source: &Source) -> Option<&str> {
    let inside = source.path.strip_prefix("src/")?;
    let top = inside.split('/').next()?.trim_end_matches(".rs");
    let own = CRATES
        .iter()
        .any(|(path, _)| path.strip_prefix("src/") == Some(top));
    (!own && top != "lib" && top != "main").then_some(top)
}

/// What a module names of this crate and of ours: `crate::x`, `crate::{x, y}`, `infra_x`.
fn named(code: &str) -> BTreeSet<String> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let mut names = BTreeSet::new();
    for (at, word) in code.match_indices("crate::") {
        let rest = &code[at + word.len()..];
        match rest.strip_prefix('{').and_then(|r| r.split_once(';')) {
            Some((group, _)) => names.extend(heads(group)),
            None => drop(names.insert(rest.chars().take_while(|c| part(*c)).collect())),
        }
    }
    for (at, _) in code.match_indices("infra_") {
        if !code[..at].ends_with(part) {
            names.insert(code[at..].chars().take_while(|c| part(*c)).collect());
        }
    }
    names
}

/// The first words of a group's members: `a::{b, c}, d` is a, d.
fn heads(group: &str) -> Vec<String> {
    let mut depth = 0;
    let mut heads = vec![String::new()];
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.push(String::new()),
            _ if depth == 0 => heads.last_mut().expect("there is one").push(c),
            _ => {}
        }
    }
    let first = |h: String| h.trim().split("::").next().unwrap_or_default().to_owned();
    heads
        .into_iter()
        .map(first)
        .filter(|h| !h.is_empty())
        .collect()
}

#[test]
fn modules_know_only_whom_they_may() {
    let mut complaints = Vec::new();
    for source in sources(&["src"]).iter().filter(|s| !s.is_test) {
        let Some(module) = module(source) else {
            continue;
        };
        let Some((_, may)) = MODULES.iter().find(|(name, _)| *name == module) else {
            complaints.push(source.complain("its module is not in the table"));
            continue;
        };
        for name in named(&source.code) {
            if name != module && *may != ["*"] && !may.contains(&name.as_str()) {
                complaints.push(source.complain(&format!("`{module}` may not name `{name}`")));
            }
        }
    }
    hold(
        &complaints,
        "Move what is needed below both, or pass it as a value; a new module goes into the table of tests/tidy/layers.rs.",
    );
}

#[test]
fn modules_speak_of_their_own_concern() {
    let mut complaints = Vec::new();
    for source in sources(&["src"]).iter().filter(|s| !s.is_test) {
        let foreign = FOREIGN
            .iter()
            .filter(|(name, _)| module(source) == Some(name));
        for word in foreign.flat_map(|(_, words)| *words) {
            if has_word(&source.code, word) {
                complaints.push(source.complain(&format!("speaks of `{word}`")));
            }
        }
    }
    hold(
        &complaints,
        "How a thing is written for a daemon is `lower`'s and the providers' concern.",
    );
}

#[test]
fn crates_depend_only_on_whom_they_may() {
    let mut complaints = Vec::new();
    for (path, may) in CRATES {
        let manifest =
            fs::read_to_string(root().join(path).join("Cargo.toml")).expect("it is there");
        let after = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let section = after.split("\n[").next().unwrap_or_default();
        let names = section
            .lines()
            .filter_map(|l| l.split(['.', '=', ' ']).next());
        for name in names.filter(|n| n.starts_with("infra-") && !may.contains(n)) {
            complaints.push(format!("{path}/Cargo.toml: depends on `{name}`"));
        }
    }
    hold(
        &complaints,
        "A provider knows `infra-api` only; see the table of tests/tidy/layers.rs.",
    );
}
