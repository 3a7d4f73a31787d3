//! Values → text for people and JSON for programs. Pure: takes what was decided, returns what is printed. Styles are
//! written as escape codes; `ui` strips them where they are not wanted.

mod about;
pub mod capacity;
mod change;
mod changes;
mod deltas;
mod document;
pub mod explain;
pub mod graph;
pub mod json;
mod lines;
pub mod measured;
pub mod names;
mod page;
mod place;
pub mod plan;
pub mod recorded;
pub mod state;
pub mod suitability;
mod suits;
mod unreachable;
mod value;
pub mod verification;
mod workloads;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
pub use suits::shown;

use infra_api::{Address, Project, ResourceId};
use infra_plan::{Delta, Outcome, Plan};

use crate::decide::Decision;
use crate::inventory::Inventory;

/// All that can be said about a plan.
pub struct PlanView<'a> {
    pub project: &'a Project,
    pub plan: &'a Plan,
    /// What the state holds: where workloads ran and what outputs were.
    pub prior: &'a Outcome,
    /// Nothing where a plan file is shown.
    pub decision: Option<&'a Decision>,
    pub inventory: Option<&'a Inventory>,
    /// Only what changes, a line each.
    pub concise: bool,
}

/// How an object differs from what the state says.
#[derive(Clone, Debug, PartialEq)]
pub enum Drift {
    /// Made by us, and gone.
    Missing,
    /// Its name is another's now.
    Taken {
        what: String,
    },
    HalfMade {
        why: String,
    },
    Changed {
        deltas: Vec<Delta>,
    },
    /// Carries our mark and stands in no state.
    Stray,
}

/// Everything that differs, by object.
pub type Drifts = BTreeMap<ResourceId, (Address, Drift)>;
