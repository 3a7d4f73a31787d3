//! json
use serde_json::Value;

use super::{Drifts, PlanView};

/// `plan --json`: one document.
#[must_use]
pub fn plan(view: &PlanView<'_>) -> Value {
    Value::from(view.plan.steps.len())
}

/// `diff --json`.
#[must_use]
pub fn drift(drifts: &Drifts) -> Value {
    Value::from(drifts.len())
}
