//! What the steps of an apply share: the journal, what it adds up to, and what an earlier apply of the plan has done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use infra_api::{Failure, Remedy, ResourceId};
use infra_plan::{Outcome, Plan, Step, StepAction};
use infra_state::{Entry, Folding};

use crate::Job;

/// What all steps of an apply share: the job, and what the journal adds up to.
pub(crate) struct Ledger<'a> {
    pub(crate) job: Job<'a>,
    folding: Mutex<Folding>,
    broken: AtomicBool,
    /// Of objects with two steps: the first ones that an earlier apply has done. The world does not tell them by itself:
    /// what was made since looks like what is to be removed, what was restarted is not as it was prepared.
    behind: BTreeSet<u32>,
    /// Second steps: the world cannot be compared with them before the first one is done.
    second: BTreeSet<u32>,
}

impl<'a> Ledger<'a> {
    pub(crate) fn new(job: Job<'a>) -> Self {
        let planned = &job.plan.result;
        let pairs = pairs(job.plan);
        let is_behind = |first: &u32| job.earlier.is_done(*first);
        let (behind, second): (Vec<_>, Vec<_>) =
            pairs.into_iter().partition(|(first, _)| is_behind(first));
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
            behind: behind.into_iter().map(|(first, _)| first).collect(),
            second: second.into_iter().map(|(_, second)| second).collect(),
        }
    }

    /// Whether an earlier apply has done it, though the world does not tell.
    pub(crate) fn is_behind(&self, step: u32) -> bool {
        self.behind.contains(&step)
    }

    /// Whether the world can be compared with a step before the first one starts: the other step of its object does not
    /// come before it, or was done by an earlier apply.
    pub(crate) fn is_to_check(&self, step: &Step) -> bool {
        !self.is_behind(step.number) && !self.second.contains(&step.number)
    }

    /// Writes an entry down. It counts also where that fails: what is done is done.
    pub(crate) fn enter(&self, entry: &Entry) -> Result<(), Failure> {
        self.enter_all(std::slice::from_ref(entry))
    }

    /// That these steps are about to begin, all of them by one write; not those that an earlier apply has done.
    pub(crate) fn begin(&self, steps: &[&Step]) -> Result<(), Failure> {
        let new = steps.iter().filter(|step| !self.is_behind(step.number));
        let started = |step: &&Step| Entry::Started {
            step: step.number,
            resource: step.resource.clone(),
            address: step.address.clone(),
            action: step.action,
            from: step.migration.as_ref().map(|m| m.from.clone()),
        };
        let entries: Vec<Entry> = new.map(started).collect();
        match entries.is_empty() {
            true => Ok(()),
            false => self.enter_all(&entries),
        }
    }

    fn enter_all(&self, entries: &[Entry]) -> Result<(), Failure> {
        entries.iter().for_each(|entry| self.folding().see(entry));
        self.job.log.append(entries).map_err(|error| {
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

/// The two steps of each object that has two: removed and made anew, or prepared and restarted.
fn pairs(plan: &Plan) -> Vec<(u32, u32)> {
    let is_first = |s: &&Step| matches!(s.action, StepAction::Delete | StepAction::Prepare);
    let first: BTreeMap<&ResourceId, u32> = plan
        .steps
        .iter()
        .filter(is_first)
        .map(|s| (&s.resource, s.number))
        .collect();
    let pair = |s: &Step| {
        let first = *first.get(&s.resource)?;
        (first < s.number).then_some((first, s.number))
    };
    plan.steps.iter().filter_map(pair).collect()
}
