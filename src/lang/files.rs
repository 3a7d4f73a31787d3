//! Where texts come from: a trait the shell implements over the disk, and one in memory for tests and
//! saved configurations. Paths are relative to the root folder, with `/` between; the root itself is `.`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

/// Files as the language sees them: what expressions may read, and what a folder holds.
pub trait Files: infra_expr::Files + Debug + Send + Sync {
    /// The names of the files directly in a folder, in any order.
    ///
    /// # Errors
    /// When there is no such folder, as a short phrase.
    fn names(&self, folder: &str) -> Result<Vec<String>, String>;

    /// Paths of files that belong to the root beside those of its folder, whatever they are called.
    fn more(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Files that are kept in memory.
#[derive(Clone, Debug, Default)]
pub struct Memory(pub BTreeMap<String, Vec<u8>>);

const NO_FILE: &str = "there is no such file";
const NO_FOLDER: &str = "there is no such folder";

impl Memory {
    /// The paths below a folder, relative to it.
    fn below(&self, folder: &str) -> Vec<&str> {
        let prefix = match join(".", folder).as_str() {
            "." => String::new(),
            folder => format!("{folder}/"),
        };
        self.0
            .keys()
            .filter_map(|path| path.strip_prefix(&prefix))
            .collect()
    }
}

impl infra_expr::Files for Memory {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        self.0
            .get(&join(".", path))
            .cloned()
            .ok_or_else(|| NO_FILE.to_owned())
    }

    fn exists(&self, path: &str) -> Result<bool, String> {
        Ok(self.0.contains_key(&join(".", path)))
    }

    fn list(&self, path: &str) -> Result<Vec<String>, String> {
        Ok(self.below(path).into_iter().map(str::to_owned).collect())
    }
}

impl Files for Memory {
    fn names(&self, folder: &str) -> Result<Vec<String>, String> {
        let below = self.below(folder);
        if below.is_empty() && folder != "." {
            return Err(NO_FOLDER.to_owned());
        }
        let direct: BTreeSet<_> = below
            .into_iter()
            .filter(|path| !path.contains('/'))
            .collect();
        Ok(direct.into_iter().map(str::to_owned).collect())
    }
}

/// A path as seen from the root, `.` and `..` worked out as far as they can be without the disk.
pub(crate) fn join(folder: &str, path: &str) -> String {
    if path.starts_with('/') {
        return path.to_owned();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    match parts.is_empty() {
        true => ".".to_owned(),
        false => format!(
            "{}{}",
            if folder.starts_with('/') { "/" } else { "" },
            parts.join("/")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_worked_out() {
        for (folder, path, joined) in [
            (".", "main.infra.hcl", "main.infra.hcl"),
            (".", "./modules/x", "modules/x"),
            ("modules/x", "../y/", "modules/y"),
            ("modules/x", "../..", "."),
            ("modules", "../../shared/m", "../shared/m"),
            ("../shared/m", "../n", "../shared/n"),
            ("..", "..", "../.."),
            ("modules", "/abs/m", "/abs/m"),
            ("/abs/m", "../n", "/abs/n"),
        ] {
            assert_eq!(join(folder, path), joined, "{folder} + {path}");
        }
    }
}
