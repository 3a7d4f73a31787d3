//! plan
use super::{Drifts, PlanView};

/// The plan for a person.
#[must_use]
pub fn plan(view: &PlanView<'_>) -> String {
    format!("{} steps\n", view.plan.steps.len())
}

/// What the world has become since the last apply.
#[must_use]
pub fn drift(drifts: &Drifts) -> String {
    format!("{drifts:?}\n")
}
