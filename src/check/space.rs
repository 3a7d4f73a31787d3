//! What is uploaded and made has room on the disk it goes to.

use std::collections::BTreeMap;

use infra_api::HostName;
use infra_api::units::Bytes;
use infra_diag::{Diagnostic, Diagnostics};
use infra_plan::{Plan, Step, StepAction};

use crate::inventory::Inventory;
use crate::lower::FileFacts;

/// Compares what a plan's steps put on each disk with what is free there, where that is known. A virtual disk counts
/// with what its guest sees: it grows to that.
#[must_use]
pub fn space(
    plan: &Plan,
    inventory: &Inventory,
    files: &BTreeMap<String, FileFacts>,
) -> Diagnostics {
    let mut needs: BTreeMap<(&HostName, &str), u64> = BTreeMap::new();
    for step in plan.steps.iter().filter(|s| s.action == StepAction::Create) {
        *needs
            .entry((&step.resource.host, &step.resource.provider))
            .or_default() += bytes(step, plan, files);
    }
    let mut diagnostics = Diagnostics::new();
    for ((host, provider), need) in needs {
        let Some(found) = inventory.hosts.get(host) else {
            continue;
        };
        if let Some((place, free)) = free(&found.facts, provider, plan).filter(|(_, f)| need > *f) {
            let text = format!(
                "the plan puts {} into {place} of {host}, where {} are free",
                rounded(need),
                rounded(free)
            );
            let error = Diagnostic::error("Disk too full")
                .hint("make room there, or ask for smaller disks");
            diagnostics.push(match found.declared.origin {
                Some(origin) => error.at(origin, text),
                None => error.note(text),
            });
        }
    }
    diagnostics
}

/// To whole MiB where it is larger: nobody reads bytes.
fn rounded(bytes: u64) -> Bytes {
    const MIB: u64 = 1 << 20;
    Bytes(if bytes < MIB {
        bytes
    } else {
        bytes.next_multiple_of(MIB)
    })
}

fn bytes(step: &Step, plan: &Plan, files: &BTreeMap<String, FileFacts>) -> u64 {
    let uploaded = step
        .source
        .as_ref()
        .and_then(|path| files.values().find(|f| f.path == *path));
    let body = plan.result.resources.get(&step.resource).map(|r| &r.body);
    let virtual_disk = body
        .and_then(|b| b.get("capacity_bytes"))
        .and_then(serde_json::Value::as_u64);
    uploaded.map(|f| f.size_bytes).or(virtual_disk).unwrap_or(0)
}

/// The fullest disk a provider's objects of this plan can come to lie on.
fn free(facts: &infra_api::Facts, provider: &str, plan: &Plan) -> Option<(String, u64)> {
    match provider {
        "docker" => {
            let docker = facts.docker.as_ref()?;
            Some((docker.root_dir.clone()?, docker.free_bytes?))
        }
        "libvirt" => {
            let name = format!("infra-{}", plan.project);
            let pool = facts
                .libvirt
                .as_ref()?
                .pools
                .iter()
                .find(|p| p.name == name)?;
            Some((format!("pool `{name}`"), pool.free_bytes?))
        }
        _ => None,
    }
}
