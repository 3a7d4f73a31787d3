//! No disk is made anew because somebody has another wish of how it is made: its data would be gone.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::{Address, HostName, ResourceId};
use infra_diag::{Diagnostic, Diagnostics};
use infra_lang::Evaluation;
use infra_plan::{Before, Plan, Reason, Step, StepAction};
use serde_json::Value;

use crate::declared::Declared;

/// What of a virtual disk is a wish about its making alone.
const MAKING: [&str; 2] = ["allocation", "format"];

/// Looks for disks that a plan removes and makes again in another format, pool or allocation. `asked`: what a person
/// wants made anew; of a workload that is not its disks. Of what was imported more is said elsewhere.
#[must_use]
pub fn anew(
    plan: &Plan,
    evaluation: &Evaluation,
    declared: &Declared,
    asked: &BTreeSet<Address>,
) -> Diagnostics {
    let mut made: BTreeMap<(&HostName, &Address, &str), &ResourceId> = BTreeMap::new();
    for step in disks(plan).filter(|step| step.action == StepAction::Create) {
        made.insert(place(step), &step.resource);
    }
    let wanted = |step: &&Step| {
        let own = declared.volumes.contains_key(&step.address);
        own && asked.contains(&step.address)
    };
    let mut diagnostics = Diagnostics::new();
    let gone = disks(plan)
        .filter(|step| step.action == StepAction::Delete && step.imported.is_none())
        .filter(|step| !wanted(step));
    for step in gone {
        let other = made.get(&place(step)).copied();
        let text = other.and_then(|other| lost(step, other));
        diagnostics.extend(text.map(|text| error(step, &text, evaluation, declared)));
    }
    diagnostics
}

fn disks(plan: &Plan) -> impl Iterator<Item = &Step> {
    let volumes = plan.steps.iter().filter(|s| s.resource.kind == "volume");
    volumes.filter(|step| {
        let body = match &step.before {
            Before::Present { body } => Some(&**body),
            _ => plan.result.resources.get(&step.resource).map(|r| &*r.body),
        };
        body.is_some_and(is_disk)
    })
}

fn is_disk(body: &Value) -> bool {
    body.get("capacity_bytes").is_some()
}

/// Host, address and the name without what it says of the format.
fn place(step: &Step) -> (&HostName, &Address, &str) {
    let name = step.resource.name.rsplit('/').next().unwrap_or_default();
    let plain = name.strip_suffix(".qcow2").or(name.strip_suffix(".raw"));
    (&step.resource.host, &step.address, plain.unwrap_or(name))
}

/// A disk in another place, or in its own place for another making. One over another image is another machine's first
/// disk, and says so in the plan.
fn lost(step: &Step, other: &ResourceId) -> Option<String> {
    let disk = &step.resource;
    if disk != other {
        return Some(format!(
            "{disk} would be removed with its data, and {other} made without it"
        ));
    }
    let Reason::Replaced { attributes } = &step.reason else {
        return None;
    };
    let word = attributes.iter().find(|a| MAKING.contains(&a.as_str()))?;
    Some(format!(
        "another `{word}` is another disk: {disk} would lose its data"
    ))
}

fn error(step: &Step, text: &str, evaluation: &Evaluation, declared: &Declared) -> Diagnostic {
    let ask = match declared.volumes.contains_key(&step.address) {
        true => format!(
            "if the data may go, plan with `--replace '{}'`",
            step.address
        ),
        false => "if the data may go, apply once without the disk".to_owned(),
    };
    let error = Diagnostic::error("Disk with data made anew").hint(format!(
        "write again what was there; or declare another disk beside it and copy what is needed; {ask}"
    ));
    let address = step.address.as_str().parse().ok();
    match address.and_then(|a| evaluation.instance(&a)) {
        Some(instance) => error.at(instance.origin, text),
        None => error.note(text),
    }
}
