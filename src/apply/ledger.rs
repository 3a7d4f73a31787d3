//! What the steps of an apply share: the journal, what it adds up to, and what an earlier apply of the plan has done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use infra_api::{Failure, Remedy, ResourceId};
use infra_plan::{Before, Outcome, Step, StepAction};
use infra_state::{Entry, Folding};

use crate::Job;

/// What all steps of an apply share: the job, and what the journal adds up to.
pub(crate) struct Ledger<'a> {
    pub(crate) job: Job<'a>,
    folding: Mutex<Folding>,
    broken: AtomicBool,
    /// Of objects that are made anew: their removals that an earlier apply has done. The world does not tell them by
    /// itself, for what was made since looks like what is to be removed.
    behind: BTreeSet<u32>,
    /// The steps that make those objects anew.
    remade: BTreeSet<u32>,
}

impl<'a> Ledger<'a> {
    pub(crate) fn new(job: Job<'a>) -> Self {
        let planned = &job.plan.result;
        let replaced = replaced_before(&job);
        let folding = Folding::new(
            job.prior.clone(),
            planned.workloads.clone(),
            planned.outputs.clone(),
            planned.tags.clone(),
        );
        Self {
            job,
            folding: Mutex::new(folding),
            broken: AtomicBool::new(false),
            behind: replaced.iter().map(|(removal, _)| *removal).collect(),
            remade: replaced.into_iter().map(|(_, remade)| remade).collect(),
        }
    }

    /// Whether an earlier apply has done it, though the world does not tell.
    pub(crate) fn is_behind(&self, step: u32) -> bool {
        self.behind.contains(&step)
    }

    /// Whether the world can be compared with a step before the first one starts. What another step removes first is
    /// there still, unless that was done before.
    pub(crate) fn is_to_check(&self, step: &Step) -> bool {
        match step.before {
            Before::Removed => self.remade.contains(&step.number),
            _ => !self.is_behind(step.number),
        }
    }

    /// Writes the entry down durably. It counts also where that fails: what is done is done.
    pub(crate) fn enter(&self, entry: &Entry) -> Result<(), Failure> {
        self.folding().see(entry);
        self.job.log.append(entry).map_err(|error| {
            self.broken.store(true, Ordering::Relaxed);
            let failure = Failure::new(Remedy::Operator, error.doing, error.cause);
            failure.hint(
                error
                    .hint
                    .unwrap_or_else(|| "no further step is started; plan again".to_owned()),
            )
        })
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    pub(crate) fn outcome(&self) -> Outcome {
        self.folding().outcome()
    }

    fn folding(&self) -> MutexGuard<'_, Folding> {
        self.folding.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Of each object that is made anew and that an earlier apply has removed: the two steps.
fn replaced_before(job: &Job<'_>) -> Vec<(u32, u32)> {
    let steps = || job.plan.steps.iter();
    let remade = steps().filter(|step| step.before == Before::Removed);
    let remade: BTreeMap<&ResourceId, u32> = remade.map(|s| (&s.resource, s.number)).collect();
    let done = |s: &&Step| s.action == StepAction::Delete && job.earlier.is_done(s.number);
    let pair = |s: &Step| Some((s.number, *remade.get(&s.resource)?));
    steps().filter(done).filter_map(pair).collect()
}
