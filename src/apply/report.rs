//! What came of an apply.

use infra_api::{Address, Failure, ResourceId};
use infra_plan::Outcome;

use crate::Skipped;

/// How an apply ended. The caller writes `outcome` as the new state.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Report {
    pub done: Vec<u32>,
    pub failed: Vec<(u32, Failure)>,
    pub skipped: Vec<Skipped>,
    /// Not started, for what they stop may not be stopped now, or they need one of which that holds.
    pub held: Vec<u32>,
    /// Not started: the plan is stale, an object could not be read, or a stop was asked for.
    pub left: Vec<u32>,
    /// Running when a second stop was asked for: how they end nobody knows. The journal says that they started.
    pub abandoned: Vec<u32>,
    /// Where the world is not as planned. If any, no step was started.
    pub stale: Vec<Stale>,
    /// A stop was asked for.
    pub interrupted: bool,
    /// What is ours now, as far as it is known.
    pub outcome: Outcome,
}

impl Report {
    /// Every step is done that may be done now.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty()
            && self.skipped.is_empty()
            && self.left.is_empty()
            && self.abandoned.is_empty()
    }
}

/// An object that is not as it was when the plan was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale {
    pub step: u32,
    pub resource: ResourceId,
    pub address: Address,
    /// What differs, for a person.
    pub differs: String,
}
