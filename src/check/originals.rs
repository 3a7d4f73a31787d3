//! What a disk begins as a copy of can be copied: it is where the copy will be, is a virtual disk, and nothing writes to
//! it meanwhile.

use std::collections::BTreeMap;

use infra_api::target::Original;
use infra_api::{Address, HostName, ResourceId, Runtime};
use infra_diag::{Diagnostic, Diagnostics};
use infra_lang::Evaluation;
use infra_plan::{Before, Plan, Step, StepAction};
use serde::Deserialize;
use serde_json::Value;

use super::View;
use crate::declared::{At, Storage, Workload};

pub(super) fn check(view: &View<'_>, diagnostics: &mut Diagnostics) {
    let homes = homes(view);
    for workload in &view.declared.workloads {
        let Some(placement) = view.placements.get(&workload.address) else {
            continue;
        };
        for storage in storages(view, workload) {
            let Some(original) = &storage.copy_of else {
                continue;
            };
            let Some(volume) = view.declared.volumes.get(&original.value) else {
                continue;
            };
            let (home, runtime) = match (homes.get(&original.value), &volume.host) {
                (Some((home, runtime)), _) => (*home, Some(*runtime)),
                (None, Some(home)) => (&home.value, None),
                (None, None) => (&placement.host, None),
            };
            if *home != placement.host {
                diagnostics.push(apart(original, &placement.host, home));
            } else if runtime == Some(Runtime::Container) {
                diagnostics.push(no_disk(original));
            }
        }
    }
}

/// Where each volume is that somebody attaches.
fn homes<'a>(view: &View<'a>) -> BTreeMap<&'a Address, (&'a HostName, Runtime)> {
    let mut homes = BTreeMap::new();
    for workload in &view.declared.workloads {
        let Some(placement) = view.placements.get(&workload.address) else {
            continue;
        };
        for volume in workload.disks.iter().filter_map(|d| d.volume.as_ref()) {
            let home = (&placement.host, placement.runtime);
            homes.entry(&volume.value).or_insert(home);
        }
    }
    homes
}

/// Of a workload's disks, and of the volumes they attach.
fn storages<'a>(view: &View<'a>, workload: &'a Workload) -> impl Iterator<Item = &'a Storage> {
    let volumes = &view.declared.volumes;
    workload.disks.iter().filter_map(|disk| match &disk.volume {
        Some(volume) => volumes.get(&volume.value).map(|v| &v.storage),
        None => Some(&disk.storage),
    })
}

fn apart(original: &At<Address>, host: &HostName, home: &HostName) -> Diagnostic {
    let text = format!(
        "the copy is made on {host}, and `{}` is on {home}",
        original.value
    );
    Diagnostic::error("Original out of reach")
        .at(original.span, text)
        .hint("give both the same `host`")
}

fn no_disk(original: &At<Address>) -> Diagnostic {
    let text = format!("`{}` is a container's volume, a directory", original.value);
    Diagnostic::error("Original that is no virtual disk")
        .at(original.span, text)
        .hint("copy a volume that virtual machines attach, or an image")
}

/// Looks for copies that a plan makes of what a machine has that runs by then.
#[must_use]
pub fn written(plan: &Plan, evaluation: &Evaluation) -> Diagnostics {
    let copies: BTreeMap<(&HostName, String), &ResourceId> = plan
        .steps
        .iter()
        .filter(|step| step.resource.kind.ends_with("volume"))
        .filter(|step| matches!(step.action, StepAction::Create | StepAction::Replace))
        .filter_map(|step| {
            let body = &plan.result.resources.get(&step.resource)?.body;
            let original = Original::deserialize(body.get("copy_of")?).ok()?;
            let Original::Volume(volume) = original else {
                return None;
            };
            let name = format!("{}/{}", volume.pool, volume.name);
            Some(((&step.resource.host, name), &step.resource))
        })
        .collect();
    let mut diagnostics = Diagnostics::new();
    if copies.is_empty() {
        return diagnostics;
    }
    let steps: BTreeMap<&ResourceId, &Step> = plan.steps.iter().map(|s| (&s.resource, s)).collect();
    for (id, record) in &plan.result.resources {
        let now = match steps.get(id).map(|step| &step.before) {
            Some(Before::Present { body }) => Some(body),
            Some(_) => None,
            None => Some(&record.body),
        };
        let runs = now.is_some_and(|body| body["state"] == "running");
        if id.kind != "domain" || !runs {
            continue;
        }
        for volume in attached(&record.body) {
            if let Some(copy) = copies.get(&(&id.host, volume)) {
                diagnostics.push(error(&record.address, id, copy, evaluation));
            }
        }
    }
    diagnostics
}

fn attached(machine: &Value) -> impl Iterator<Item = String> {
    let disks = machine["disks"].as_array().into_iter().flatten();
    disks.filter_map(|disk| {
        let volume = disk.get("volume")?;
        let (pool, name) = (volume["pool"].as_str()?, volume["name"].as_str()?);
        Some(format!("{pool}/{name}"))
    })
}

fn error(user: &Address, id: &ResourceId, copy: &ResourceId, from: &Evaluation) -> Diagnostic {
    let text = format!("{id} runs and writes on to what {copy} is to be a copy of");
    let error = Diagnostic::error("Copy of what is written to").hint(format!(
        "shut `{user}` down by hand for this apply, which starts it again; or copy a volume that no machine attaches"
    ));
    let address = user.as_str().parse().ok();
    match address.and_then(|a| from.instance(&a)) {
        Some(instance) => error.at(instance.origin, text),
        None => error.note(text),
    }
}
