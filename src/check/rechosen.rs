//! Nothing becomes another runtime's where a disk with its data would go: the two have no disks in common.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::target::{ContainerVolume, DiskVolume};
use infra_api::{Address, Placement};
use infra_diag::{Diagnostic, Diagnostics};
use infra_lang::Evaluation;
use infra_plan::{Before, Plan, Step, StepAction};
use serde::Deserialize;

use crate::declared::Declared;

/// Looks for disks that a plan removes because their workload runs as something else from now on. `asked`: what a person
/// wants made anew.
#[must_use]
pub fn rechosen(
    plan: &Plan,
    prior: &BTreeMap<Address, Placement>,
    evaluation: &Evaluation,
    declared: &Declared,
    asked: &BTreeSet<Address>,
) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    let becomes = |step: &Step| {
        let (was, is) = (
            prior.get(&step.address)?,
            plan.result.workloads.get(&step.address)?,
        );
        (was.runtime != is.runtime).then_some((was.runtime, is.runtime))
    };
    let gone = plan.steps.iter().filter(|step| {
        let own = !declared.volumes.contains_key(&step.address);
        step.action == StepAction::Delete && step.resource.kind == "volume" && own
    });
    for step in gone.filter(|step| holds_data(step) && !asked.contains(&step.address)) {
        let Some((was, is)) = becomes(step) else {
            continue;
        };
        let text = format!(
            "it runs as {was} and would run as {is}: {} would be removed with its data",
            step.resource
        );
        let error = Diagnostic::error("Runtime changed over a disk with data").hint(format!(
            "write `runtime = \"{}\"` to leave it as it is; or copy what is needed to a declared `volume`; if the data may go, \
             plan with `--replace '{}'`",
            was.word(),
            step.address
        ));
        let address = step.address.as_str().parse().ok();
        diagnostics.push(match address.and_then(|a| evaluation.instance(&a)) {
            Some(instance) => error.at(instance.origin, text),
            None => error.note(text),
        });
    }
    diagnostics
}

/// A disk, or a container's volume: not what is made of the configuration alone, as a seed is.
fn holds_data(step: &Step) -> bool {
    let Before::Present { body } = &step.before else {
        return false;
    };
    DiskVolume::deserialize(&**body).is_ok() || ContainerVolume::deserialize(&**body).is_ok()
}
