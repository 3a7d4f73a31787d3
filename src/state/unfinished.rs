//! How far a plan has been carried out that an apply began and did not end: what lets the same plan be applied again.

use std::collections::BTreeSet;

use infra_plan::Plan;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Entry;

/// The steps of one plan that were begun, by all its applies so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unfinished {
    /// Digest of the plan.
    pub plan: String,
    /// Were read back.
    pub done: BTreeSet<u32>,
    /// Failed, or were cut off: their objects may be anywhere on the way.
    pub begun: BTreeSet<u32>,
}

impl Unfinished {
    /// Nothing of it yet.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        Self {
            plan: infra_plan::digest(plan),
            ..Self::default()
        }
    }

    /// Nothing where no step was begun, and where all are done.
    pub(crate) fn left(&self) -> Option<Self> {
        let any = !self.done.is_empty() || !self.begun.is_empty();
        any.then(|| self.clone())
    }

    /// Whether no step was begun before.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.left().is_none()
    }

    /// Whether an apply before this one did it.
    #[must_use]
    pub fn is_done(&self, step: u32) -> bool {
        self.done.contains(&step)
    }

    /// Whether an apply before this one set out to do it.
    #[must_use]
    pub fn is_begun(&self, step: u32) -> bool {
        self.begun.contains(&step) || self.is_done(step)
    }

    pub(crate) fn see(&mut self, entry: &Entry) {
        match entry {
            Entry::Started { step, .. } => {
                self.done.remove(step);
                self.begun.insert(*step);
            }
            Entry::Done { step, .. } => {
                self.begun.remove(step);
                self.done.insert(*step);
            }
            Entry::End { complete: true } => {
                self.done.clear();
                self.begun.clear();
            }
            Entry::Begin(_) | Entry::Failed { .. } | Entry::End { complete: false } => {}
        }
    }
}
