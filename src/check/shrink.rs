//! No disk is made smaller: what lies beyond its new end would be lost.

use infra_api::units::Bytes;
use infra_diag::{Diagnostic, Diagnostics};
use infra_lang::Evaluation;
use infra_plan::{Plan, Step, StepAction};

/// Looks at what a plan's steps would change of disks that are there.
#[must_use]
pub fn shrink(plan: &Plan, evaluation: &Evaluation) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    for step in plan
        .steps
        .iter()
        .filter(|s| matches!(s.action, StepAction::Update | StepAction::Restart))
    {
        diagnostics.extend(smaller(step).map(|(was, wanted)| error(step, was, wanted, evaluation)));
    }
    diagnostics
}

/// What the size was and would be, where that is less.
fn smaller(step: &Step) -> Option<(u64, u64)> {
    let delta = step.deltas.iter().find(|d| d.path == ["capacity_bytes"])?;
    let was = delta.before.as_ref()?.as_u64()?;
    let wanted = delta.after.as_ref()?.as_u64()?;
    (wanted < was).then_some((was, wanted))
}

fn error(step: &Step, was: u64, wanted: u64, evaluation: &Evaluation) -> Diagnostic {
    let (was, wanted) = (Bytes(was), Bytes(wanted));
    let text = format!("{} is {was} large and would be {wanted}", step.resource);
    let error = Diagnostic::error("Disk made smaller").hint(format!(
        "leave it at {was}; or make another disk beside it, copy what is needed, and remove this one"
    ));
    let address = step.address.as_str().parse().ok();
    match address.and_then(|a| evaluation.instance(&a)) {
        Some(instance) => error.at(instance.origin, text),
        None => error.note(text),
    }
}
