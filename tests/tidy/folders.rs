//! Nothing lies about: every file is reached, every example explains or proves itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::hold;
use crate::sources::{Source, files, home, relative, root, sources};

/// Examples without a README or a plan that is compared, which is to end.
const BARE_EXAMPLES: &[&str] = &[];

/// Where cargo begins: `lib.rs` and `main.rs`, and what a manifest names.
fn roots(all: &[Source]) -> Vec<String> {
    let lib = |s: &&Source| s.path.ends_with("/lib.rs");
    let mut roots: Vec<String> = all.iter().filter(lib).map(|s| s.path.clone()).collect();
    roots.push("src/main.rs".to_owned());
    let manifests: Vec<PathBuf> = ["src", "providers"]
        .iter()
        .flat_map(|f| files(f))
        .chain([root().join("Cargo.toml")])
        .filter(|p| p.ends_with("Cargo.toml"))
        .collect();
    for manifest in manifests {
        let folder = relative(manifest.parent().expect("a file is in a folder"));
        let text = fs::read_to_string(&manifest).unwrap_or_default();
        let paths = text
            .lines()
            .filter_map(|l| l.strip_prefix("path = \"")?.strip_suffix('"'));
        roots.extend(paths.map(|path| plain(&format!("{folder}/{path}"))));
        // Cargo finds these itself.
        let own = |s: &&Source| {
            let inside = s.path.strip_prefix(&format!("{folder}/tests/"));
            !folder.is_empty()
                && inside.is_some_and(|i| !i.contains('/') || i.ends_with("/main.rs"))
        };
        roots.extend(all.iter().filter(own).map(|s| s.path.clone()));
    }
    roots
}

/// A path without `..` and without a leading slash.
fn plain(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|p| !p.is_empty() && *p != ".") {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

/// The files a file declares as its modules.
fn declared(source: &Source, is_root: bool) -> Vec<String> {
    let folder = source
        .path
        .rsplit_once('/')
        .map_or("", |(folder, _)| folder);
    let own = if is_root {
        folder.to_owned()
    } else {
        home(&source.path)
    };
    let mut found = Vec::new();
    let mut written = None;
    for line in source.text.lines().map(str::trim) {
        if let Some(path) = line
            .strip_prefix("#[path = \"")
            .and_then(|l| l.strip_suffix("\"]"))
        {
            written = Some(plain(&format!("{folder}/{path}")));
        } else if let Some(name) = line.strip_suffix(';').and_then(|l| {
            l.rsplit_once("mod ")
                .filter(|(v, _)| v.is_empty() || v.starts_with("pub"))
        }) {
            let name = name.1;
            found.extend(written.take());
            found.extend([format!("{own}/{name}.rs"), format!("{own}/{name}/mod.rs")]);
        } else if !line.starts_with("#[") {
            written = None;
        }
    }
    found
}

#[test]
fn every_file_is_reached() {
    let all = sources(&["src", "providers", "tests", "benches"]);
    let roots = roots(&all);
    let mut reached: BTreeSet<String> = BTreeSet::new();
    let mut queue = roots.clone();
    while let Some(path) = queue.pop() {
        if let Some(source) = all.iter().find(|s| s.path == path)
            && reached.insert(path.clone())
        {
            queue.extend(declared(source, roots.contains(&path)));
        }
    }
    let lost = all.iter().filter(|s| !reached.contains(&s.path));
    let complaints: Vec<String> = lost
        .map(|s| s.complain("no `mod` and no manifest names it"))
        .collect();
    hold(
        &complaints,
        "Declare it, or remove it: what is not built is not checked.",
    );
}

#[test]
fn every_example_explains_or_proves_itself() {
    let has = |folder: &PathBuf, names: &[&str]| names.iter().any(|n| folder.join(n).is_file());
    let folders = |name: &str| -> Vec<PathBuf> {
        let entries = fs::read_dir(root().join(name))
            .into_iter()
            .flatten()
            .flatten();
        entries.map(|e| e.path()).filter(|p| p.is_dir()).collect()
    };
    let mut complaints = Vec::new();
    for example in folders("examples") {
        let path = relative(&example);
        match (
            has(&example, &["README.md", "plan.txt"]),
            BARE_EXAMPLES.contains(&path.as_str()),
        ) {
            (false, false) => complaints.push(format!("{path}: neither README.md nor plan.txt")),
            (true, true) => complaints.push(format!("{path}: strike it from the list")),
            _ => {}
        }
    }
    let bare = folders("modules")
        .into_iter()
        .filter(|m| has(m, &["main.infra.hcl"]) && !has(m, &["README.md"]));
    complaints.extend(bare.map(|m| format!("{}: no README.md", relative(&m))));
    hold(
        &complaints,
        "Say in a README what it shows, or add the plan it must come to.",
    );
}
