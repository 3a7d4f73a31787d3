//! Reading what is there, and refusing what must not be taken for "nothing yet": each refusal says what,
//! where, why, and how to go on.

use std::path::Path;

use infra_api::Project;

use super::Store;
use crate::format::{self, Fault};
use crate::{Begin, Entry, Error, FORMAT_VERSION, Kind, State, journal};

/// The way on that is always open.
pub(super) const REBUILD: &str = "make it anew from the hosts with `infra state rebuild`";

impl Store {
    pub(super) fn read_state(
        &self,
        path: &Path,
        project: &Project,
    ) -> Result<Option<State>, Error> {
        let Some(bytes) = self
            .disk
            .read(path)
            .map_err(|e| Error::io("reading", path, &e))?
        else {
            return Ok(None);
        };
        let doing = format!("reading {}", path.display());
        match format::read(&bytes) {
            Ok(state) if state.project != *project => {
                let cause = format!(
                    "it is the state of project `{}`, not of `{project}`",
                    state.project
                );
                Err(Error::new(Kind::Foreign, doing, cause)
                    .hint("name the project in `infra { project = \"…\" }`, or give another file with `--state`"))
            }
            Ok(state) => Ok(Some(state)),
            Err(Fault::Broken(why)) => {
                Err(Error::new(Kind::Broken, doing, why).hint(self.way_on()))
            }
            Err(Fault::Version(version)) => {
                let cause =
                    format!("it has format version {version}; this `infra` reads {FORMAT_VERSION}");
                Err(Error::new(Kind::Foreign, doing, cause)
                    .hint("use the `infra` that wrote it, or a newer one"))
            }
        }
    }

    /// A broken file counts as none here; another project's does not.
    pub(super) fn readable(&self, path: &Path, project: &Project) -> Result<Option<State>, Error> {
        match self.read_state(path, project) {
            Err(error) if error.kind == Kind::Broken => Ok(None),
            other => other,
        }
    }

    pub(super) fn read_journal(
        &self,
        project: &Project,
    ) -> Result<Option<(Begin, Vec<Entry>)>, Error> {
        let path = &self.paths.journal;
        let Some(bytes) = self
            .disk
            .read(path)
            .map_err(|e| Error::io("reading", path, &e))?
        else {
            return Ok(None);
        };
        let doing = || format!("reading {}", path.display());
        let broken = |why: String| Error::new(Kind::Broken, doing(), why).hint(REBUILD);
        let mut entries = journal::read(&bytes).map_err(broken)?.into_iter();
        match entries.next() {
            Some(Entry::Begin(begin)) if !format::is_read(&begin.format_version) => {
                let cause = format!("it has format version {}", begin.format_version);
                Err(Error::new(Kind::Foreign, doing(), cause)
                    .hint("use the `infra` that wrote it, or a newer one"))
            }
            Some(Entry::Begin(begin)) if begin.project != *project => {
                let cause = format!("it is of project `{}`, not of `{project}`", begin.project);
                Err(Error::new(Kind::Foreign, doing(), cause)
                    .hint("name the project in `infra { project = \"…\" }`"))
            }
            Some(Entry::Begin(begin)) => Ok(Some((begin, entries.collect()))),
            // It takes its name with its first line whole: less than that is damage, not a crash.
            _ => Err(broken("its first line is not whole".to_owned())),
        }
    }

    /// No state file is "nothing yet" only where nothing else says that there was one.
    pub(super) fn refuse_loss(
        &self,
        state: Option<&State>,
        journal: Option<&(Begin, Vec<Entry>)>,
    ) -> Result<(), Error> {
        if state.is_some() {
            return Ok(());
        }
        let backup = &self.paths.backup;
        let exists = self
            .disk
            .read(backup)
            .map_err(|e| Error::io("reading", backup, &e))?
            .is_some();
        let had_one = exists || journal.is_some_and(|(begin, _)| begin.serial > 0);
        if !had_one {
            return Ok(());
        }
        let doing = format!("reading {}", self.paths.state.display());
        let witness = if exists { backup } else { &self.paths.journal };
        let cause = format!(
            "it is missing, though {} shows that there was one",
            witness.display()
        );
        Err(Error::new(Kind::Broken, doing, cause).hint(self.way_on()))
    }

    /// A journal tells what happened after the state it began on: never to a later one, or another's.
    pub(super) fn refuse_strangers(
        &self,
        state: Option<&State>,
        begin: &Begin,
    ) -> Result<(), Error> {
        let Some(state) = state else { return Ok(()) };
        let cause = if state.lineage != begin.lineage {
            "it does not belong to this state (another lineage)".to_owned()
        } else if state.serial > begin.serial + 1 {
            format!(
                "it began on serial {}, but the state is at {}",
                begin.serial, state.serial
            )
        } else {
            return Ok(());
        };
        let doing = format!("reading {}", self.paths.journal.display());
        Err(Error::new(Kind::Broken, doing, cause).hint(REBUILD))
    }

    pub(super) fn way_on(&self) -> String {
        let (backup, state) = (self.paths.backup.display(), self.paths.state.display());
        match self
            .disk
            .read(&self.paths.backup)
            .ok()
            .flatten()
            .map(|bytes| format::read(&bytes))
        {
            Some(Ok(_)) => {
                format!("restore the state before it (`cp {backup} {state}`), or {REBUILD}")
            }
            _ => REBUILD.to_owned(),
        }
    }
}
