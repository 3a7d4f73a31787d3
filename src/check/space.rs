//! What is uploaded and made has room on the disk it goes to.

use std::collections::BTreeMap;
use std::path::Path;

use infra_api::facts::{Facts, Pool};
use infra_api::units::Bytes;
use infra_api::{HostName, ResourceId};
use infra_diag::{Diagnostic, Diagnostics};
use infra_plan::{Plan, Step, StepAction};

use crate::declared::POOL_PATH;
use crate::inventory::Inventory;
use crate::lower::FileFacts;

/// Compares what a plan's steps put on each disk, new or larger, with what is free there, where that is known. A
/// virtual disk counts with what its guest sees: it grows to that. What the plan removes is not counted as free: it
/// may go last.
#[must_use]
pub fn space(
    plan: &Plan,
    inventory: &Inventory,
    files: &BTreeMap<String, FileFacts>,
) -> Diagnostics {
    let by_path: BTreeMap<&Path, u64> = files
        .values()
        .map(|f| (f.path.as_path(), f.size_bytes))
        .collect();
    let mut needs: BTreeMap<(&HostName, &str, &str), u64> = BTreeMap::new();
    for step in &plan.steps {
        let id = &step.resource;
        let need = needs
            .entry((&id.host, &id.provider, pool_of(id)))
            .or_default();
        // Sizes are a person's: the sum of two may be none.
        *need = need.saturating_add(bytes(step, plan, &by_path));
    }
    let mut diagnostics = Diagnostics::new();
    for ((host, provider, pool), need) in needs {
        let Some(found) = inventory.hosts.get(host) else {
            continue;
        };
        if let Some((place, free)) =
            free(host, &found.facts, (provider, pool), plan).filter(|(_, f)| need > *f)
        {
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

/// The pool a volume of libvirt's is in: its name is `POOL/NAME`. Nothing of what is in none.
fn pool_of(id: &ResourceId) -> &str {
    let volume = id.provider == "libvirt" && id.kind == "volume";
    let pool = id.name.split_once('/').filter(|_| volume);
    pool.map_or("", |(pool, _)| pool)
}

/// To whole MiB where it is larger: nobody reads bytes.
fn rounded(bytes: u64) -> Bytes {
    const MIB: u64 = 1 << 20;
    let larger = (bytes >= MIB).then(|| bytes.checked_next_multiple_of(MIB));
    Bytes(larger.flatten().unwrap_or(bytes))
}

/// What a step takes of a disk.
fn bytes(step: &Step, plan: &Plan, files: &BTreeMap<&Path, u64>) -> u64 {
    match step.action {
        StepAction::Create => created(step, plan, files),
        StepAction::Update | StepAction::Restart => grown(step).unwrap_or(0),
        // A container's writable layer begins empty.
        StepAction::Prepare | StepAction::Replace | StepAction::Delete | StepAction::Migrate => 0,
    }
}

fn created(step: &Step, plan: &Plan, files: &BTreeMap<&Path, u64>) -> u64 {
    let uploaded = step
        .source
        .as_ref()
        .and_then(|path| files.get(path.as_path()));
    let volume = step
        .resource
        .kind
        .ends_with("volume")
        .then_some(&step.resource);
    let record = volume.and_then(|id| plan.result.resources.get(id));
    let virtual_disk = record.and_then(|r| r.body.get("capacity_bytes")?.as_u64());
    // A disk that begins as a file grows to what its guest sees.
    uploaded.copied().max(virtual_disk).unwrap_or(0)
}

/// By how much a virtual disk becomes larger.
fn grown(step: &Step) -> Option<u64> {
    let delta = step.deltas.iter().find(|d| d.path == ["capacity_bytes"])?;
    let was = delta.before.as_ref()?.as_u64()?;
    let wanted = delta.after.as_ref()?.as_u64()?;
    Some(wanted.saturating_sub(was))
}

/// The disk on which a provider's objects of this plan lie, or those in a pool, and what is free there.
fn free(
    host: &HostName,
    facts: &Facts,
    (provider, name): (&str, &str),
    plan: &Plan,
) -> Option<(String, u64)> {
    match provider {
        "docker" => {
            let docker = facts.docker.as_ref()?;
            Some((docker.root_dir.clone()?, docker.free_bytes?))
        }
        "libvirt" => {
            let pools = &facts.libvirt.as_ref()?.pools;
            if let Some(pool) = pools.iter().find(|p| p.name == name) {
                return Some((format!("pool `{name}`"), pool.free_bytes?));
            }
            let id = ResourceId::new(host, "libvirt", "pool", name);
            let path = plan.result.resources.get(&id)?.body.get("path")?.as_str()?;
            let (beside, free) = beside(Path::new(path), pools)?;
            let place = format!("pool `{name}` (on the disk of pool `{}`)", beside.name);
            Some((place, free))
        }
        _ => None,
    }
}

/// Of a pool that is still to be made: the one on whose disk it will be, and what is free there. That is the nearest
/// one above it; or another project's, as infra puts them side by side into a folder of its own.
fn beside<'a>(path: &Path, pools: &'a [Pool]) -> Option<(&'a Pool, u64)> {
    let near = |pool: &'a Pool| {
        let at = Path::new(pool.path.as_deref()?);
        let above = path.starts_with(at);
        let sibling = at.parent() == path.parent() && path.starts_with(POOL_PATH);
        let is_near = pool.kind.as_deref() == Some("dir") && (above || sibling);
        is_near.then_some((at.components().count(), pool, pool.free_bytes?))
    };
    let (_, pool, free) = pools
        .iter()
        .filter_map(near)
        .max_by_key(|(depth, _, free)| (*depth, *free))?;
    Some((pool, free))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(name: &str, kind: &str, path: &str, free_bytes: impl Into<Option<u64>>) -> Pool {
        Pool {
            name: name.into(),
            kind: Some(kind.into()),
            path: Some(path.into()),
            free_bytes: free_bytes.into(),
            ..Pool::default()
        }
    }

    #[test]
    fn a_pool_to_be_made_is_on_the_disk_of_the_nearest_above_it() {
        let pools = [
            pool("root", "dir", "/srv", 1),
            pool("near", "dir", "/srv/images", 2),
            pool("beside", "dir", "/srv/images/other", 3),
            pool("likewise", "dir", "/srv/im", 4),
            pool("volumes", "logical", "/srv/images/demo", 5),
            pool("stopped", "dir", "/srv/images/demo", None),
        ];
        let name = |path: &str| beside(Path::new(path), &pools).map(|(p, _)| p.name.as_str());
        assert_eq!(name("/srv/images/demo"), Some("near"));
        assert_eq!(name("/srv/x"), Some("root"));
        assert_eq!(name("/mnt/demo"), None);
    }

    #[test]
    fn projects_lie_side_by_side_in_infras_own_folder() {
        let at = |project: &str| format!("{POOL_PATH}/{project}");
        let pools = [
            pool("default", "dir", "/var/lib/libvirt/images", 1),
            pool("infra-other", "dir", &at("other"), 2),
        ];
        let (found, free) = beside(Path::new(&at("demo")), &pools).unwrap();
        assert_eq!((found.name.as_str(), free), ("infra-other", 2));
    }

    #[test]
    fn no_size_is_too_large_to_be_shown() {
        assert_eq!(rounded(u64::MAX), Bytes(u64::MAX));
        assert_eq!(rounded((1 << 20) + 1), Bytes(2 << 20));
        assert_eq!(rounded(7), Bytes(7));
    }
}
