//! Reading values out of a tree, and remembering what could not be read.
//!
//! A file that is not there is no problem: kernels differ. A file that is there and says
//! something else than it should is one, and its value is then unknown.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, ErrorKind};
use std::str::FromStr;

use infra_api::{IdSet, IdSetError};

use crate::tree::Tree;

/// A file that could not be understood. The fact it should have told is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file or directory, relative to the root of the tree.
    pub path: String,
    /// What was wrong.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}: {}", self.path, self.what)
    }
}

pub(crate) struct Reader<'a> {
    tree: &'a dyn Tree,
    // Behind a cell, so that a value can be read wherever an expression stands.
    problems: RefCell<Vec<Problem>>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(tree: &'a dyn Tree) -> Self {
        Reader {
            tree,
            problems: RefCell::default(),
        }
    }

    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }

    pub(crate) fn problem(&self, path: &str, what: impl fmt::Display) {
        self.problems.borrow_mut().push(Problem {
            path: path.to_owned(),
            what: what.to_string(),
        });
    }

    /// Whether a file or directory is there, of any kind.
    pub(crate) fn exists(&self, path: &str) -> bool {
        let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
        let names = self.tree.list(directory).unwrap_or_default();
        names.iter().any(|there| there == name)
    }

    /// A file's text without the whitespace (and, in some saved trees, zero bytes) around it.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        self.present(path, self.tree.read(path))
            .map(|bytes| trimmed(&bytes))
    }

    /// A file whose read may fail in the normal course of things, as a link's speed does while
    /// the link is down.
    pub(crate) fn quiet(&self, path: &str) -> Option<String> {
        self.tree.read(path).ok().map(|bytes| trimmed(&bytes))
    }

    /// The same of its beginning alone.
    pub(crate) fn quiet_head(&self, path: &str, most: u64) -> Option<String> {
        let head = self.tree.head(path, most);
        head.ok().map(|bytes| trimmed(&bytes))
    }

    /// A file's text where it has any.
    pub(crate) fn line(&self, path: &str) -> Option<String> {
        self.text(path).filter(|text| !text.is_empty())
    }

    /// A number that is never negative.
    pub(crate) fn number<T: FromStr>(&self, path: &str) -> Option<T> {
        let text = self.text(path)?;
        self.parsed(
            path,
            text.parse(),
            format_args!("`{text}` is not the number it should be"),
        )
    }

    /// A number of something, where the kernel writes a negative one for "none" or "unknown".
    pub(crate) fn id(&self, path: &str) -> Option<u32> {
        let number: i64 = self.number(path)?;
        if number < 0 {
            return None;
        }
        self.parsed(
            path,
            u32::try_from(number),
            format_args!("{number} is too large"),
        )
    }

    /// The sets of ids a directory holds under one of several names, in order of preference. For
    /// each the list (`NAME_list`) is read where it is there, else the mask.
    pub(crate) fn mask_or_list(&self, directory: &str, names: &[&str]) -> Option<IdSet> {
        names.iter().find_map(|name| {
            let mask = format!("{directory}/{name}");
            self.list(&format!("{mask}_list"))
                .or_else(|| self.mask(&mask))
        })
    }

    /// Which file [`Self::mask_or_list`] reads.
    pub(crate) fn which(&self, directory: &str, names: &[&str]) -> String {
        let files = names
            .iter()
            .flat_map(|name| [format!("{name}_list"), (*name).to_owned()]);
        let mut there = files
            .map(|file| format!("{directory}/{file}"))
            .filter(|file| self.exists(file));
        there.next().unwrap_or_else(|| directory.to_owned())
    }

    /// A set of ids as a list: `0-3,8`.
    pub(crate) fn list(&self, path: &str) -> Option<IdSet> {
        let text = self.text(path)?;
        self.set(path, text.parse())
    }

    /// A set of ids as a mask: `00000000,0000000f`.
    pub(crate) fn mask(&self, path: &str) -> Option<IdSet> {
        let text = self.text(path)?;
        self.set(path, IdSet::from_mask(&text))
    }

    fn set(&self, path: &str, set: Result<IdSet, IdSetError>) -> Option<IdSet> {
        set.map_err(|error| self.problem(path, error)).ok()
    }

    /// The names in a directory, sorted; none where it is not there.
    pub(crate) fn names(&self, path: &str) -> Vec<String> {
        self.present(path, self.tree.list(path)).unwrap_or_default()
    }

    /// The ids in names made of a prefix and a number (`cpu12`), ascending.
    pub(crate) fn ids(&self, path: &str, prefix: &str) -> IdSet {
        let names = self.names(path);
        let ids = names
            .iter()
            .filter_map(|name| name.strip_prefix(prefix)?.parse().ok());
        ids.collect()
    }

    /// What a symlink says; in a saved tree that may not be there.
    pub(crate) fn link(&self, path: &str) -> Option<String> {
        let target = self.tree.link(path).ok()?;
        Some(target.trim_end_matches('/').to_owned())
    }

    /// The last name of what a symlink says.
    pub(crate) fn link_name(&self, path: &str) -> Option<String> {
        let target = self.link(path)?;
        target.rsplit('/').next().map(str::to_owned)
    }

    fn parsed<T, E>(
        &self,
        path: &str,
        parsed: Result<T, E>,
        what: fmt::Arguments<'_>,
    ) -> Option<T> {
        parsed.map_err(|_| self.problem(path, what)).ok()
    }

    fn present<T>(&self, path: &str, result: io::Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) if absent(&error) => None,
            Err(error) => {
                self.problem(path, error);
                None
            }
        }
    }
}

fn absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn trimmed(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.trim_matches(|c: char| c.is_whitespace() || c == '\0')
        .to_owned()
}
