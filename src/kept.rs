//! What stays as it was found, though nothing that is lowered asks for it. A declared volume that no workload attaches
//! now: it outlives the workloads that use it, with the pool it is in. And what attributes stand on that are ignored.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::{Address, Observed, Resource, ResourceId};
use infra_lang::Evaluation;
use infra_plan::{Desired, Record};
use serde_json::Value;

use crate::declared::{Declared, Disk};
use crate::recover::{self, There};

/// Adds to what is desired what stays as it was found.
pub fn keep(
    declared: &Declared,
    evaluation: &Evaluation,
    desired: &mut Vec<Desired>,
    observed: &BTreeMap<ResourceId, Observed>,
) {
    let mut found = stores(observed);
    recover::edges(&mut found);
    let mut stays = held(desired, observed, &found);
    let attached: BTreeSet<&Address> = desired.iter().map(|d| &d.resource.address).collect();
    let idle = |record: &Record| {
        declared.volumes.contains_key(&record.address) && !attached.contains(&record.address)
    };
    let volumes = found.iter().filter(|(_, record)| idle(record));
    stays.extend(volumes.map(|(id, _)| id.clone()));
    let pools: Vec<ResourceId> = stays
        .iter()
        .flat_map(|id| found[id].after.clone())
        .collect();
    stays.extend(pools);
    for wanted in desired.iter() {
        stays.remove(&wanted.resource.id);
    }
    let kept = stays.iter().map(|id| as_found(id, &found[id], evaluation));
    desired.extend(kept);
}

/// What the attributes that `ignore_changes` leaves as they are stand on: an older image, say.
fn held(
    desired: &mut [Desired],
    observed: &BTreeMap<ResourceId, Observed>,
    found: &BTreeMap<ResourceId, Record>,
) -> BTreeSet<ResourceId> {
    let there = There::new(found.keys());
    let mut held = BTreeSet::new();
    for wanted in desired.iter_mut().filter(|d| !d.ignore_changes.is_empty()) {
        let Some(Observed::Present { body, .. }) = observed.get(&wanted.resource.id) else {
            continue;
        };
        let at = |path: &Vec<String>| path.iter().try_fold(&**body, |value, key| value.get(key));
        let left: Vec<&Value> = wanted.ignore_changes.iter().filter_map(at).collect();
        let needed = there.under_parts(&wanted.resource.id, &left);
        let after = &mut wanted.resource.after;
        after.extend(needed.iter().cloned());
        after.sort();
        after.dedup();
        held.extend(needed);
    }
    held
}

/// What a disk that is there began as a copy of is no wish any more, nor is its size where it is as large as that, nor
/// does it stand on it; but for what a person wants made anew. What somebody else's disk stands on is never ours to say.
pub fn as_begun(
    declared: &Declared,
    desired: &mut [Desired],
    observed: &BTreeMap<ResourceId, Observed>,
    imported: &BTreeMap<ResourceId, String>,
    anew: &BTreeSet<Address>,
) {
    let own: Disks<'_> = declared
        .workloads
        .iter()
        .map(|w| (&w.address, &w.disks[..]))
        .collect();
    let disks = desired.iter_mut().map(|wanted| &mut wanted.resource);
    for disk in disks.filter(|disk| disk.body.get(SIZE).is_some()) {
        let (found, sized) = (observed.get(&disk.id), is_sized(declared, &own, disk));
        let Some(Observed::Present { body: found, .. }) = found else {
            continue;
        };
        if anew.contains(&disk.address) {
            continue;
        }
        let Value::Object(body) = &mut *disk.body else {
            continue;
        };
        body.remove(ORIGINAL);
        disk.source = None;
        disk.after
            .retain(|id| id.kind == "pool" || body.contains_key("backing"));
        if let Some(size) = found.get(SIZE).filter(|_| !sized) {
            body.insert(SIZE.to_owned(), size.clone());
        }
        let begun: &[&str] = match imported.contains_key(&disk.id) {
            true => &["backing", "backing_format"],
            false => &[ORIGINAL],
        };
        for word in begun {
            if let Some(as_found) = found.get(*word) {
                body.insert((*word).to_owned(), as_found.clone());
            }
        }
    }
    after_copies(desired);
}

const ORIGINAL: &str = "copy_of";
const SIZE: &str = "capacity_bytes";

/// The disks of workloads.
type Disks<'a> = BTreeMap<&'a Address, &'a [Disk]>;

/// Whether a person wrote its size, or it is no copy.
fn is_sized(declared: &Declared, own: &Disks<'_>, disk: &Resource) -> bool {
    if let Some(volume) = declared.volumes.get(&disk.address) {
        return volume.size_bytes.is_some() || volume.storage.copy_of.is_none();
    }
    let disks = own.get(&disk.address);
    let plain = disk.id.name.rsplit_once('.').map_or("", |(name, _)| name);
    let named = |label: &str| {
        let name = plain.strip_suffix(label);
        name.is_some_and(|name| name.ends_with(".disk-"))
    };
    let own = disks.and_then(|disks| disks.iter().find(|d| named(&d.label)));
    own.is_none_or(|disk| disk.size_bytes.is_some() || disk.storage.copy_of.is_none())
}

/// A machine starts to write to its disks when what is to be copied of them is.
fn after_copies(desired: &mut [Desired]) {
    let mut copies: BTreeMap<ResourceId, Vec<ResourceId>> = BTreeMap::new();
    for copy in desired.iter().map(|wanted| &wanted.resource) {
        if copy.body.get(ORIGINAL).is_some() {
            let originals = copy.after.iter().filter(|id| id.kind == "volume");
            for original in originals {
                let of = copies.entry(original.clone()).or_default();
                of.push(copy.id.clone());
            }
        }
    }
    for user in desired.iter_mut().map(|wanted| &mut wanted.resource) {
        if user.id.kind == "domain" && !copies.is_empty() {
            let of: Vec<_> = user.after.iter().filter_map(|id| copies.get(id)).collect();
            let of: Vec<_> = of.into_iter().flatten().cloned().collect();
            user.after.extend(of);
            user.after.sort();
            user.after.dedup();
        }
    }
}

fn stores(observed: &BTreeMap<ResourceId, Observed>) -> BTreeMap<ResourceId, Record> {
    let store = |(id, found): (&ResourceId, &Observed)| match found {
        Observed::Present { address, body } if is_kept(id, body) => {
            let record = Record {
                address: address.clone(),
                body: body.clone(),
                after: Vec::new(),
                prevent_destroy: false,
                imported: None,
                unready: false,
            };
            Some((id.clone(), record))
        }
        _ => None,
    };
    observed.iter().filter_map(store).collect()
}

/// An image of a registry is nobody's: it stays anyway.
fn is_kept(id: &ResourceId, body: &Value) -> bool {
    match id.kind.as_str() {
        "volume" | "pool" | "network" => true,
        "image" => body.get("sha256").is_some(),
        _ => false,
    }
}

fn as_found(id: &ResourceId, record: &Record, evaluation: &Evaluation) -> Desired {
    Desired {
        resource: Resource {
            id: id.clone(),
            address: record.address.clone(),
            body: record.body.clone(),
            source: None,
            after: record.after.clone(),
        },
        prevent_destroy: recover::prevents_destroy(evaluation, &record.address),
        create_before_destroy: false,
        timeouts: infra_plan::Timeouts::default(),
        until_ready: false,
        stopped_when: None,
        ignore_changes: Vec::new(),
        migration: None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use infra_lang::{Files, GivenValues, Memory, Mode};
    use serde_json::json;

    use super::*;
    use crate::configuration::{Configuration, Source};

    fn configuration() -> Configuration {
        let text = r#"volume "idle" { size = "1GiB" }"#;
        let file = ("main.infra.hcl".to_owned(), text.into());
        let files: Arc<dyn Files> = Arc::new(Memory([file].into()));
        let given = GivenValues::default();
        Source::read(&files, "demo").evaluate(
            &given,
            Mode::Plan,
            &BTreeMap::new(),
            &mut str::to_owned,
        )
    }

    fn object(id: &str, address: &str) -> (ResourceId, Observed) {
        // The name of the other pool in its body says nothing.
        let found = Observed::Present {
            address: Address::new(address),
            body: json!({"pool": "other"}).into(),
        };
        (id.parse().unwrap(), found)
    }

    #[test]
    fn an_idle_volume_stays_with_the_pool_it_is_in() {
        let own = |n| object(&format!("r1/libvirt/volume/p/own.{n}"), "workload.w");
        let mut observed: BTreeMap<_, _> = (0..10_000).map(own).collect();
        observed.extend([
            object("r1/libvirt/pool/p", "host.r1"),
            object("r1/libvirt/pool/other", "host.r1"),
            object("r1/libvirt/volume/p/idle.qcow2", "volume.idle"),
            object("r1/docker/volume/demo.idle", "volume.idle"),
        ]);
        let with = configuration();
        let begun = Instant::now();
        let mut kept = Vec::new();
        keep(&with.declared, &with.evaluation, &mut kept, &observed);
        // Looking at all pairs takes 100 million looks.
        assert!(begun.elapsed() < Duration::from_secs(5));
        let line = |d: &Desired| {
            let after: Vec<String> = d.resource.after.iter().map(ToString::to_string).collect();
            format!("{} after {}", d.resource.id, after.join(" "))
        };
        assert_eq!(
            kept.iter().map(line).collect::<Vec<_>>(),
            [
                "r1/docker/volume/demo.idle after ",
                "r1/libvirt/pool/p after ",
                "r1/libvirt/volume/p/idle.qcow2 after r1/libvirt/pool/p",
            ]
        );
    }
}
