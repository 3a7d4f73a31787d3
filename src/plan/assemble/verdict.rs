//! What was found out about one object, before it is a step.

use infra_api::{Address, Observed};
use serde_json::Value;

use super::Desired;
use crate::{Before, Delta, Migration, Reason};

/// What becomes of one object.
pub(super) struct Verdict<'a> {
    pub(super) address: Address,
    pub(super) wanted: Option<Desired>,
    /// `state` as declared: what is made anew does not begin stopped because it was found so.
    pub(super) state: Option<Value>,
    pub(super) found: Option<&'a Observed>,
    pub(super) fate: Fate,
    pub(super) deltas: Vec<Delta>,
}

impl Verdict<'_> {
    /// What the step that comes first must find.
    pub(super) fn before(&self) -> Before {
        match self.found {
            Some(Observed::Present { body, .. }) => Before::Present { body: body.clone() },
            Some(Observed::Partial { .. }) => Before::Partial,
            None | Some(Observed::Absent | Observed::Foreign { .. }) => Before::Absent,
        }
    }
}

pub(super) enum Fate {
    Keep,
    Create(Reason),
    Update(Reason),
    Restart(Reason),
    Replace(Reason),
    Delete(Reason),
    /// It runs elsewhere, which is what was found.
    Migrate(Reason, Migration),
}
