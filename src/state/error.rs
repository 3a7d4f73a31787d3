//! What went wrong with our own files: what was being done, why, and how to go on.

use std::error;
use std::fmt;
use std::io;
use std::path::Path;

/// Sorted by what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Somebody else is at it: wait.
    Locked,
    /// The plan was made on another state: plan again.
    Stale,
    /// A file is not what we wrote: restore the backup or rebuild.
    Broken,
    /// A file is good, but not for us: another project's, or a newer version's.
    Foreign,
    /// The file system refused.
    Io,
}

/// An error about the state directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub kind: Kind,
    /// What was being done to what.
    pub doing: String,
    pub cause: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Error {
    pub(crate) fn new(kind: Kind, doing: impl Into<String>, cause: impl fmt::Display) -> Self {
        Self {
            kind,
            doing: doing.into(),
            cause: cause.to_string(),
            hint: None,
        }
    }

    pub(crate) fn hint(mut self, text: impl Into<String>) -> Self {
        self.hint = Some(text.into());
        self
    }

    /// `verb`, as in "reading".
    pub(crate) fn io(verb: &str, path: &Path, cause: &io::Error) -> Self {
        let hint = match cause.kind() {
            io::ErrorKind::PermissionDenied => Some("run as the user who owns it"),
            io::ErrorKind::StorageFull => Some("make room on this file system, then run it again"),
            _ => None,
        };
        Self {
            hint: hint.map(str::to_owned),
            ..Self::new(Kind::Io, format!("{verb} {}", path.display()), cause)
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.doing, self.cause)
    }
}

impl error::Error for Error {}
