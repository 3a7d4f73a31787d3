//! Where the files of a state lie.

use std::path::{Path, PathBuf};

use crate::disk::beside;

/// Where the files lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    pub state: PathBuf,
    /// The state before this one.
    pub backup: PathBuf,
    pub journal: PathBuf,
    pub lock: PathBuf,
    pub key: PathBuf,
}

impl Paths {
    /// `.infra/` of a configuration.
    #[must_use]
    pub fn in_directory(directory: &Path) -> Self {
        let path = |name: &str| directory.join(name);
        Self {
            state: path("state.json"),
            backup: path("state.json.backup"),
            journal: path("journal"),
            lock: path("lock"),
            key: path("key"),
        }
    }

    /// The file of `--state PATH`, the others beside it.
    #[must_use]
    pub fn of_file(state: &Path) -> Self {
        let path = |suffix: &str| beside(state, suffix);
        Self {
            state: state.to_owned(),
            backup: path("backup"),
            journal: path("journal"),
            lock: path("lock"),
            key: path("key"),
        }
    }
}
