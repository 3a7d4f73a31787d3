//! A disk that somebody else has made is never removed, and no empty one is made in its place.

use std::collections::BTreeMap;

use infra_api::{Address, HostName, ResourceId};
use infra_diag::{Diagnostic, Diagnostics};
use infra_lang::Evaluation;
use infra_plan::{Outcome, Plan, Step, StepAction};

/// Looks for steps that would remove what was imported, or make another one for its address.
#[must_use]
pub fn imported(plan: &Plan, prior: &Outcome, evaluation: &Evaluation) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    let mut made: BTreeMap<(&HostName, &Address), &Step> = BTreeMap::new();
    for step in disks(plan) {
        match step.action {
            StepAction::Delete if step.imported.is_some() => {
                let text = format!("{} was imported, and would lose its data", step.resource);
                let hint = "write what is there again; or declare another volume beside it, copy what is needed, and \
                            remove this declaration, which leaves the volume where it is";
                diagnostics.push(error(&step.address, text, hint, evaluation));
            }
            StepAction::Create => drop(made.insert((&step.resource.host, &step.address), step)),
            _ => {}
        }
    }
    for (id, record) in &prior.resources {
        let stays = plan.result.resources.contains_key(id);
        if record.imported.is_none() || stays || !is_disk(id) {
            continue;
        }
        if let Some(step) = made.get(&(&id.host, &record.address)) {
            let text = format!(
                "{id} was imported for it, and an empty {} would be made in its place",
                step.resource
            );
            let hint = "write the `name` and `pool` that it has; or declare the other volume under another label";
            diagnostics.push(error(&record.address, text, hint, evaluation));
        }
    }
    diagnostics
}

fn disks(plan: &Plan) -> impl Iterator<Item = &Step> {
    plan.steps.iter().filter(|step| is_disk(&step.resource))
}

fn is_disk(id: &ResourceId) -> bool {
    (id.provider.as_str(), id.kind.as_str()) == ("libvirt", "volume")
}

fn error(address: &Address, text: String, hint: &str, evaluation: &Evaluation) -> Diagnostic {
    let error = Diagnostic::error("Imported disk made anew").hint(hint);
    let address = address.as_str().parse().ok();
    match address.and_then(|a| evaluation.instance(&a)) {
        Some(instance) => error.at(instance.origin, text),
        None => error.note(text),
    }
}
