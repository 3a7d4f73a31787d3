//! Every file of a state looked at by itself: what is in it, or what is wrong with it.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use infra_api::Project;

use super::Store;
use crate::{Entry, Error, Kind};

impl Store {
    /// In the order in which they matter. A file that need not be there is told of only where it is.
    pub fn check(&self, project: &Project) -> Vec<(PathBuf, Result<String, Error>)> {
        let paths = &self.paths;
        let state =
            |path: &Path| {
                let state = self.read_state(path, project)?;
                Ok(state
                    .map(|s| format!("serial {}, {} objects", s.serial, s.outcome.resources.len())))
            };
        let journal = || {
            let journal = self.read_journal(project)?;
            Ok(journal.map(|(begin, entries)| {
                let ended = entries.iter().any(|e| matches!(e, Entry::End { .. }));
                let how = if ended { "ended" } else { "cut off" };
                format!(
                    "an apply on serial {} that was {how}, {} records",
                    begin.serial,
                    entries.len()
                )
            }))
        };
        let key = || Ok(self.read_key()?.map(|_| "32 bytes".to_owned()));
        let all = [
            (&paths.state, state(&paths.state)),
            (&paths.backup, state(&paths.backup)),
            (&paths.journal, journal()),
            (&paths.key, key()),
        ];
        let there = |(path, found): (&PathBuf, Result<Option<String>, Error>)| {
            let found = found.and_then(|what| what.map(|what| private(path, what)).transpose());
            Some((path.clone(), found.transpose()?))
        };
        let mut checks: Vec<_> = all.into_iter().filter_map(there).collect();
        // Each may be whole and still not belong to the other.
        if checks.iter().all(|(_, found)| found.is_ok())
            && let Err(error) = self.load(project)
        {
            checks.push((paths.state.clone(), Err(error)));
        }
        checks
    }
}

/// What a file holds is its owner's alone.
fn private(path: &Path, what: String) -> Result<String, Error> {
    let mode = std::fs::metadata(path).map_or(0o600, |found| found.permissions().mode() & 0o777);
    if mode & 0o077 == 0 {
        return Ok(what);
    }
    let doing = format!("reading {}", path.display());
    Err(Error::new(
        Kind::Broken,
        doing,
        format!("its mode is {mode:o}: others may read it"),
    )
    .hint(format!("`chmod 600 {}`", path.display())))
}
