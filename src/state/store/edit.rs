//! The state changed by hand: by a command, and from a file. Plans made before are stale after it.

use infra_api::Project;
use infra_plan::Outcome;

use super::Store;
use crate::format::{self, Fault};
use crate::{Error, FORMAT_VERSION, Kind, Loaded, Lock, State};

impl Store {
    /// Another content in the place of what is known, in one go.
    pub fn amend(&self, lock: &Lock, loaded: &Loaded, outcome: Outcome) -> Result<State, Error> {
        let Some(state) = &loaded.state else {
            let doing = format!("changing {}", self.paths.state.display());
            return Err(Error::new(
                Kind::Foreign,
                doing,
                "nothing was ever applied here",
            ));
        };
        let amended = State {
            serial: state.serial + 1,
            outcome,
            unfinished: None,
            ..state.clone()
        };
        self.put(lock, loaded, &amended)?;
        Ok(amended)
    }

    /// A state from elsewhere in the place of this one. `force`: also one of another lineage, or not newer; it then
    /// gets a serial above both.
    pub fn push(
        &self,
        lock: &Lock,
        project: &Project,
        bytes: &[u8],
        force: bool,
    ) -> Result<State, Error> {
        let doing = "pushing the state";
        let refused = |cause: String| Error::new(Kind::Foreign, doing, cause);
        let mut pushed = format::read(bytes).map_err(|fault| match fault {
            Fault::Broken(why) => Error::new(Kind::Broken, doing, why)
                .hint("push what `infra state pull` printed, unchanged"),
            Fault::Version(version) => refused(format!(
                "it has format version {version}; this `infra` reads {FORMAT_VERSION}"
            )),
        })?;
        if pushed.project != *project {
            let cause = format!("it is of project `{}`, not of `{project}`", pushed.project);
            return Err(refused(cause).hint("go to that project's folder, or use `-C DIR`"));
        }
        let now = if force {
            self.load(project).or_else(|error| match error.kind {
                Kind::Broken => Ok(Loaded::default()),
                _ => Err(error),
            })?
        } else {
            self.load(project)?
        };
        let Some(state) = now.state.clone() else {
            self.put(lock, &now, &pushed)?;
            return Ok(pushed);
        };
        if pushed == state && !now.recovered {
            return Ok(state);
        }
        if let Some(cause) = no_successor(&pushed, &state) {
            if !force {
                return Err(refused(cause)
                    .hint("`infra state pull` prints the state that is here; `--force` pushes all the same"));
            }
            pushed.serial = pushed.serial.max(state.serial) + 1;
        }
        self.put(lock, &now, &pushed)?;
        Ok(pushed)
    }

    /// A journal belongs to the state it began on and may not be left beside a later one: what it tells is written
    /// down first, then it goes.
    fn put(&self, _: &Lock, now: &Loaded, state: &State) -> Result<(), Error> {
        if let (true, Some(known)) = (now.recovered, &now.state) {
            self.write_state(known)?;
        }
        self.drop_journal()?;
        self.write_state(state)
    }
}

/// Why one state does not follow on another.
fn no_successor(pushed: &State, state: &State) -> Option<String> {
    if pushed.lineage != state.lineage {
        Some(format!(
            "it is of another lineage ({}, and here is {}): they have no common past",
            pushed.lineage, state.lineage
        ))
    } else if pushed.serial <= state.serial {
        Some(format!(
            "its serial is {}, and here is {} already",
            pushed.serial, state.serial
        ))
    } else {
        None
    }
}
