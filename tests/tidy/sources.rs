//! The repository's files.

use std::fs;
use std::path::{Path, PathBuf};

use crate::reading::{code, without_tests};

/// One file of Rust.
pub(crate) struct Source {
    /// From the root, with slashes.
    pub(crate) path: String,
    pub(crate) text: String,
    /// Without comments, strings and tests.
    pub(crate) code: String,
    pub(crate) is_test: bool,
}

impl Source {
    pub(crate) fn complain(&self, what: &str) -> String {
        format!("{}: {what}", self.path)
    }
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file under a folder of the repository, in order, but for what is built.
pub(crate) fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name();
            let built = [".git", ".infra", "build", "target"]
                .iter()
                .any(|b| name == *b);
            if path.is_dir() && !built {
                folders.push(path);
            } else if path.is_file() {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

pub(crate) fn relative(path: &Path) -> String {
    let path = path.strip_prefix(root()).unwrap_or(path);
    path.to_string_lossy().replace('\\', "/")
}

/// All Rust under these folders.
pub(crate) fn sources(folders: &[&str]) -> Vec<Source> {
    let rust = |p: &PathBuf| p.extension().is_some_and(|e| e == "rs");
    let all = folders.iter().flat_map(|f| files(f)).filter(rust);
    let mut sources: Vec<Source> = all
        .filter_map(|path| Some((relative(&path), fs::read_to_string(&path).ok()?)))
        .map(|(path, text)| Source {
            code: without_tests(&code(&text)),
            is_test: path.starts_with("tests/") || path.contains("/tests/"),
            path,
            text,
        })
        .collect();
    mark_tests(&mut sources);
    sources
}

/// What is declared under `#[cfg(test)]` is a test too, with all below it.
fn mark_tests(sources: &mut [Source]) {
    let tests: Vec<String> = sources.iter().flat_map(test_modules).collect();
    for source in sources {
        let under = |test: &String| {
            let rest = source.path.strip_prefix(test.as_str());
            rest.is_some_and(|r| r == ".rs" || r.starts_with('/'))
        };
        source.is_test |= tests.iter().any(under);
    }
}

/// The modules of a file that are tests, as paths without `.rs`.
fn test_modules(source: &Source) -> Vec<String> {
    let folder = source
        .path
        .rsplit_once('/')
        .map_or("", |(folder, _)| folder);
    let lines: Vec<&str> = source.text.lines().map(str::trim).collect();
    let of = |at: usize| {
        let path = lines[at + 1].strip_prefix("#[path = \"");
        match path.and_then(|p| p.strip_suffix(".rs\"]")) {
            Some(path) => Some(format!("{folder}/{path}")),
            None => {
                let name = lines[at + 1].strip_suffix(';')?.split("mod ").nth(1)?;
                Some(format!("{}/{name}", home(&source.path)))
            }
        }
    };
    let marked = (1..lines.len()).filter(|n| lines[n - 1] == "#[cfg(test)]");
    marked.filter_map(|n| of(n - 1)).collect()
}

/// The folder in which a file's own modules are.
pub(crate) fn home(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    match name {
        "mod.rs" | "lib.rs" | "main.rs" => folder.to_owned(),
        _ => path.trim_end_matches(".rs").to_owned(),
    }
}
