//! The state directory: what is read when, and in which order it is written, so that a crash between any two
//! system calls loses nothing. `plan` only reads it; whoever writes shows the [`Lock`].
//!
//! An apply is `load` → plan → `begin` → … → `finish`. The journal of an apply that was cut off is folded into
//! what `load` gives, and into the file at the next `begin`.

mod check;
mod edit;
mod key_file;
mod paths;
mod read;

use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use infra_api::{Project, ResourceId};
use infra_plan::{Basis, Outcome, Plan};

use crate::disk::{directory, keep, replace};
use crate::format;
use crate::{
    Begin, Clock, Disk, Error, FORMAT_VERSION, Files, Folding, Holder, Journal, Kind, Lock, State,
    Unfinished,
};

pub use paths::Paths;

/// The state directory.
#[derive(Clone)]
pub struct Store {
    paths: Paths,
    disk: Arc<dyn Disk>,
}

/// What is known of a project before planning.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// None: nothing was ever applied.
    pub state: Option<State>,
    /// Objects an apply was cut off at: to be read whatever else is.
    pub in_doubt: Vec<ResourceId>,
    /// Of these what a daemon may be stopping still.
    pub stopping: Vec<ResourceId>,
    /// An apply was cut off, and what it had done is in `state`, though not yet in the file.
    pub recovered: bool,
}

impl Loaded {
    /// What is known; nothing where nothing was ever applied.
    #[must_use]
    pub fn outcome(&self) -> &Outcome {
        static NOTHING: LazyLock<Outcome> = LazyLock::new(Outcome::default);
        let state = self.state.as_ref();
        state.map_or(&NOTHING, |state| &state.outcome)
    }

    /// Goes on from what is known to something else that is known, though it is not yet in the file either: the next
    /// `begin` writes it down.
    pub fn map<T>(&mut self, change: impl FnOnce(Outcome) -> (Outcome, T)) -> Option<T> {
        let state = self.state.as_mut()?;
        let (outcome, said) = change(state.outcome.clone());
        if outcome != state.outcome {
            state.outcome = outcome;
            if !self.recovered {
                state.serial += 1;
            }
            self.recovered = true;
        }
        Some(said)
    }

    /// What a plan made on this says it was made on.
    #[must_use]
    pub fn basis(&self) -> Basis {
        match &self.state {
            Some(state) => Basis {
                lineage: Some(state.lineage.clone()),
                serial: state.serial,
            },
            None => Basis::default(),
        }
    }

    /// How far a plan has come. It may be applied on the state it was made on, and on what its own applies have made
    /// of that since.
    fn continued(&self, plan: &Plan) -> Result<Unfinished, Error> {
        let new = Unfinished::of(plan);
        let now = self.basis();
        let state = self.state.as_ref();
        match state.and_then(|state| state.unfinished.as_ref()) {
            Some(unfinished) if unfinished.plan == new.plan => Ok(unfinished.clone()),
            _ if plan.basis == now => Ok(new),
            _ => Err(stale(&now, plan)),
        }
    }
}

impl Store {
    /// Touches nothing yet.
    #[must_use]
    pub fn open(paths: Paths) -> Self {
        Self::on(paths, Arc::new(Files))
    }

    /// On a file system of the test's. The lock is always on the real one.
    #[must_use]
    pub fn on(paths: Paths, disk: Arc<dyn Disk>) -> Self {
        Self { paths, disk }
    }

    #[must_use]
    pub fn paths(&self) -> &Paths {
        &self.paths
    }

    pub fn lock(
        &self,
        holder: Holder,
        wait: Option<Duration>,
        clock: &dyn Clock,
    ) -> Result<Lock, Error> {
        self.make_directory(&self.paths.lock)?;
        Lock::acquire(&self.paths.lock, holder, wait.unwrap_or_default(), clock)
    }

    /// Takes the lock from a holder that is gone.
    pub fn unlock(&self, id: &str) -> Result<Holder, Error> {
        crate::lock::unlock(&self.paths.lock, id)
    }

    /// What is known, with the journal of an apply that was cut off folded in. Changes nothing.
    pub fn load(&self, project: &Project) -> Result<Loaded, Error> {
        let state = self.read_state(&self.paths.state, project)?;
        let journal = self.read_journal(project)?;
        self.refuse_loss(state.as_ref(), journal.as_ref())?;
        let Some((begin, entries)) = journal else {
            return Ok(Loaded {
                state,
                ..Loaded::default()
            });
        };
        self.refuse_strangers(state.as_ref(), &begin)?;
        let prior = state
            .as_ref()
            .map(|state| state.outcome.clone())
            .unwrap_or_default();
        let folding = Folding::of(prior, &begin, &entries);
        // A state after the one it began on holds it already, and may hold more than is left of it: ends of steps are
        // not waited for.
        let folded = state.as_ref().is_some_and(|s| s.serial > begin.serial);
        let (state, recovered) = match folded {
            true => (state, false),
            false => succeed(state, &begin, folding.outcome(), folding.unfinished()),
        };
        Ok(Loaded {
            state,
            in_doubt: folding.in_doubt(),
            stopping: folding.stopping(),
            recovered,
        })
    }

    /// Before the first effect: writes down what was recovered and starts the journal. `lineage` is used where
    /// there is no state yet.
    pub fn begin(
        &self,
        _: &Lock,
        loaded: &Loaded,
        plan: &Plan,
        lineage: &str,
    ) -> Result<Journal, Error> {
        let unfinished = loaded.continued(plan)?;
        if let (true, Some(state)) = (loaded.recovered, &loaded.state) {
            self.write_state(state)?;
        }
        let begin = Begin {
            format_version: FORMAT_VERSION.to_owned(),
            project: plan.project.clone(),
            lineage: loaded
                .state
                .as_ref()
                .map_or(lineage, |state| &state.lineage)
                .to_owned(),
            serial: loaded.basis().serial,
            workloads: plan.result.workloads.clone(),
            outputs: plan.result.outputs.clone(),
            tags: plan.result.tags.clone(),
            unfinished,
            in_doubt: loaded.in_doubt.clone(),
            stopping: loaded.stopping.clone(),
        };
        self.make_directory(&self.paths.journal)?;
        let path = self.paths.journal.clone();
        let former = self.disk.read(&path);
        let former = former.map_err(|e| Error::io("reading", &path, &e))?;
        Journal::create(self.disk.clone(), path, begin, former.is_some())
    }

    /// After the last effect. The journal goes when the state holds all it says; where a step was started and
    /// nobody knows how it ended, it stays for the next `load`.
    pub fn finish(
        &self,
        _: &Lock,
        loaded: &Loaded,
        journal: Journal,
        outcome: Outcome,
    ) -> Result<Option<State>, Error> {
        let unfinished = journal.unfinished();
        let (state, changed) = succeed(loaded.state.clone(), journal.begin(), outcome, unfinished);
        if let (true, Some(state)) = (changed, &state) {
            self.write_state(state)?;
        }
        if journal.is_settled() {
            self.drop_journal()?;
        }
        Ok(state)
    }

    /// A state made from the hosts alone takes the place of whatever is there, readable or not.
    pub fn rebuild(
        &self,
        _: &Lock,
        project: &Project,
        lineage: &str,
        outcome: Outcome,
    ) -> Result<State, Error> {
        let state = self.readable(&self.paths.state, project)?;
        let backup = self.readable(&self.paths.backup, project)?;
        // Above every serial that a plan may have been made on (the state lost was the backup's next), and so
        // far above that the journal, should it outlive this by a crash, is not taken for its continuation.
        let serial =
            |state: &Option<State>, ahead| state.as_ref().map_or(0, |state| state.serial + ahead);
        let rebuilt = State {
            format_version: FORMAT_VERSION.to_owned(),
            project: project.clone(),
            lineage: state
                .as_ref()
                .or(backup.as_ref())
                .map_or(lineage, |former| &former.lineage)
                .to_owned(),
            serial: serial(&state, 2).max(serial(&backup, 3)).max(1),
            unfinished: None,
            outcome,
        };
        self.write_state(&rebuilt)?;
        self.drop_journal()?;
        Ok(rebuilt)
    }

    /// Only a readable former state becomes the backup: a broken one must not take the place of a good one.
    fn write_state(&self, state: &State) -> Result<(), Error> {
        let path = &self.paths.state;
        let bytes = format::write(state)
            .map_err(|e| Error::new(Kind::Io, format!("writing {}", path.display()), e))?;
        self.make_directory(path)?;
        let io = |e| Error::io("writing", path, &e);
        let former = self.disk.read(path).map_err(io)?;
        if former.is_some_and(|bytes| format::read(&bytes).is_ok()) {
            keep(&*self.disk, path, &self.paths.backup).map_err(io)?;
        }
        replace(&*self.disk, path, &bytes).map_err(io)
    }

    /// Without a sync: a crash that brings it back is one between the state's writing and this, which the next
    /// `load` knows.
    fn drop_journal(&self) -> Result<(), Error> {
        let path = &self.paths.journal;
        let removed = self.disk.remove(path);
        removed.map_err(|e| Error::io("removing", path, &e))
    }

    fn make_directory(&self, file: &Path) -> Result<(), Error> {
        let path = directory(file);
        self.disk
            .make_directory(path)
            .map_err(|e| Error::io("making the directory", path, &e))
    }
}

/// The state after `former`, and whether it is another one.
fn succeed(
    former: Option<State>,
    begin: &Begin,
    outcome: Outcome,
    unfinished: Option<Unfinished>,
) -> (Option<State>, bool) {
    let unchanged = match &former {
        Some(state) => state.outcome == outcome && state.unfinished == unfinished,
        None => outcome == Outcome::default() && unfinished.is_none(),
    };
    if unchanged {
        return (former, false);
    }
    let next = State {
        format_version: FORMAT_VERSION.to_owned(),
        project: begin.project.clone(),
        lineage: begin.lineage.clone(),
        serial: former.map_or(0, |state| state.serial) + 1,
        unfinished,
        outcome,
    };
    (Some(next), true)
}

fn stale(now: &Basis, plan: &Plan) -> Error {
    let name = |basis: &Basis| match &basis.lineage {
        Some(lineage) => format!("serial {} of lineage {lineage}", basis.serial),
        None => "no state".to_owned(),
    };
    let cause = format!(
        "it was made on {}, but now there is {}",
        name(&plan.basis),
        name(now)
    );
    Error::new(Kind::Stale, "applying the plan", cause).hint("plan again")
}

#[cfg(test)]
mod tests;
