//! Storage pools that are somebody else's are there and of use; those to be made are not there already under another
//! name; and no logical volume is to grow, which libvirt cannot do.

use std::collections::BTreeSet;

use infra_api::facts::Pool as Found;
use infra_api::units::Bytes;
use infra_api::{Address, HostName, ResourceId, Runtime};
use infra_diag::{Diagnostic, Diagnostics, Span};
use infra_lang::Evaluation;
use infra_plan::{Plan, Step};

use super::View;
use crate::declared::{At, Place, Pool};
use crate::inventory::Inventory;

/// Kinds of pools whose volumes are made as ours are.
const KINDS: [&str; 4] = ["dir", "fs", "netfs", "logical"];

pub(super) fn check(view: &View<'_>, diagnostics: &mut Diagnostics) {
    for (host, address) in used(view) {
        let found = view.inventory.hosts.get(host);
        let libvirt = found.and_then(|host| host.facts.libvirt.as_ref());
        let (Some(pool), Some(libvirt)) = (view.declared.pools.get(address), libvirt) else {
            continue;
        };
        let wrong = match &pool.place {
            Place::Existing(name) => existing(host, name, &libvirt.pools),
            Place::Path(path) => taken(view, pool, &path.value, path.span, &libvirt.pools),
            Place::VolumeGroup(group) => {
                let path = format!("/dev/{}", group.value);
                taken(view, pool, &path, group.span, &libvirt.pools)
            }
        };
        diagnostics.extend(wrong);
    }
}

/// Which pools virtual disks lie in, host by host.
fn used<'a>(view: &View<'a>) -> BTreeSet<(&'a HostName, &'a Address)> {
    let mut used = BTreeSet::new();
    for workload in &view.declared.workloads {
        let placement = view.placements.get(&workload.address);
        let Some(placement) = placement.filter(|p| p.runtime == Runtime::Kvm) else {
            continue;
        };
        let root = workload
            .kvm
            .as_ref()
            .and_then(|form| form.root_pool.as_ref());
        used.extend(root.map(|pool| (&placement.host, &pool.value)));
        for disk in &workload.disks {
            let storage = match &disk.volume {
                Some(volume) => view.declared.volumes.get(&volume.value).map(|v| &v.storage),
                None => Some(&disk.storage),
            };
            let pool = storage.and_then(|storage| storage.pool.as_ref());
            used.extend(pool.map(|pool| (&placement.host, &pool.value)));
        }
    }
    used
}

fn existing(host: &HostName, name: &At<String>, pools: &[Found]) -> Option<Diagnostic> {
    let error = |text: String, hint: String| {
        Diagnostic::error("Storage pool of no use")
            .at(name.span, text)
            .hint(hint)
    };
    let name = &name.value;
    let Some(pool) = pools.iter().find(|pool| pool.name == *name) else {
        let names: Vec<&str> = pools.iter().map(|pool| pool.name.as_str()).collect();
        let there = match names.is_empty() {
            true => "it has none".to_owned(),
            false => format!("it has: {}", names.join(", ")),
        };
        return Some(error(
            format!("libvirt of {host} has no pool `{name}`"),
            format!("{there}; write `path` or `volume_group` for one that infra makes"),
        ));
    };
    let kind = pool.kind.as_deref().unwrap_or("dir");
    if !KINDS.contains(&kind) {
        return Some(error(
            format!("`{name}` of {host} is of the kind `{kind}`, in which infra makes no volumes"),
            "use a pool of the kind dir, fs, netfs or logical".to_owned(),
        ));
    }
    (pool.active == Some(false)).then(|| {
        error(
            format!("`{name}` of {host} is not started"),
            format!("start it: `virsh pool-start {name}`"),
        )
    })
}

/// libvirt makes no two pools of one place.
fn taken(
    view: &View<'_>,
    pool: &Pool,
    path: &str,
    span: Span,
    pools: &[Found],
) -> Option<Diagnostic> {
    // What is here already is called after what the address was before.
    let own = format!("{}.", view.project);
    // One that is imported has its name; and whether it is ours is said elsewhere.
    let written = view.declared.names.get(&pool.address);
    let other = pools.iter().find(|other| {
        let plain = |path: &str| path.trim_end_matches('/').to_owned();
        let same = other.path.as_deref().map(plain) == Some(plain(path));
        same && !other.name.starts_with(&own) && written != Some(&other.name)
    })?;
    let text = format!(
        "`{}` would be made of {path}, and libvirt has the pool `{}` there",
        pool.address, other.name
    );
    let hint = format!("write `existing = \"{}\"`, or another place", other.name);
    Some(
        Diagnostic::error("Storage pool twice")
            .at(span, text)
            .hint(hint),
    )
}

/// Looks for logical volumes that a plan would make larger.
#[must_use]
pub fn logical(plan: &Plan, inventory: &Inventory, evaluation: &Evaluation) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    for step in &plan.steps {
        let size = grown(step).filter(|_| is_logical(&step.resource, plan, inventory));
        diagnostics.extend(size.map(|size| error(step, size, evaluation)));
    }
    diagnostics
}

fn grown(step: &Step) -> Option<u64> {
    let delta = step.deltas.iter().find(|d| d.path == ["capacity_bytes"])?;
    let was = delta.before.as_ref()?.as_u64()?;
    let wanted = delta.after.as_ref()?.as_u64()?;
    (wanted > was).then_some(wanted)
}

fn is_logical(volume: &ResourceId, plan: &Plan, inventory: &Inventory) -> bool {
    let Some((name, _)) = volume.name.split_once('/') else {
        return false;
    };
    let id = ResourceId::new(&volume.host, &volume.provider, "pool", name);
    if let Some(own) = plan.result.resources.get(&id) {
        return own.body.get("volume_group").is_some();
    }
    let host = inventory.hosts.get(&volume.host);
    let libvirt = host.and_then(|host| host.facts.libvirt.as_ref());
    let found = libvirt.and_then(|l| l.pools.iter().find(|pool| pool.name == name));
    found.is_some_and(|pool| pool.kind.as_deref() == Some("logical"))
}

fn error(step: &Step, size: u64, evaluation: &Evaluation) -> Diagnostic {
    let volume = &step.resource;
    let name = volume.name.rsplit('/').next().unwrap_or_default();
    let text = format!("{volume} would be {} large", Bytes(size));
    let error = Diagnostic::error("Logical volume made larger").hint(format!(
        "libvirt cannot do that: `lvextend -L {size}b VOLUME_GROUP/{name}` does, with its machine shut down; then plan again"
    ));
    let address = step.address.as_str().parse().ok();
    match address.and_then(|a| evaluation.instance(&a)) {
        Some(instance) => error.at(instance.origin, text),
        None => error.note(text),
    }
}
