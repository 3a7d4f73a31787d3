//! What was measured on one's own hosts: of which workload, on which class of host, and whether that still holds.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::facts::Facts;
use infra_api::{HostName, Variant};
use infra_suitability::{Evidence, EvidenceFile, Measurement, Table};

use super::Hosts;
use crate::declared::Workload;
use crate::inventory::Inventory;

/// A file that speaks of a workload, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    pub file: String,
    /// Why it is not used; nothing where it is.
    pub unused: Option<String>,
    /// What is another by now: it is used all the same.
    pub stale: Option<String>,
}

/// Hosts of one class are taken to be as fast as each other: the same architecture, CPUs, caches and nodes, and as many GiB of
/// memory.
#[must_use]
pub fn class(facts: &Facts) -> String {
    let arch = facts.kernel.arch.as_deref().unwrap_or("unknown");
    let cpus = &facts.cpus.list;
    let count = |of: &dyn Fn(&infra_api::facts::Cpu) -> Option<u32>| {
        cpus.iter().filter_map(of).collect::<BTreeSet<u32>>().len()
    };
    let (cores, packages) = (count(&|cpu| cpu.core), count(&|cpu| cpu.package));
    let (l3s, nodes) = (facts.l3.len(), facts.nodes.len());
    let gib = facts
        .memory_bytes
        .map_or(0, |bytes| (bytes + (1 << 29)) >> 30);
    format!(
        "{arch}: CPUs {}, cores {cores}, packages {packages}, L3 {l3s}, nodes {nodes}, memory {gib} GiB",
        facts.cpus.online.len()
    )
}

/// Of what bears on how fast a workload runs.
#[must_use]
pub fn versions(facts: &Facts) -> BTreeMap<String, String> {
    let versions = [
        ("kernel", &facts.kernel.release),
        ("docker", &facts.versions.docker),
        ("libvirt", &facts.versions.libvirt),
        ("qemu", &facts.versions.qemu),
    ];
    let known = versions
        .into_iter()
        .filter_map(|(name, version)| Some((name.to_owned(), version.clone()?)));
    known.collect()
}

/// What is said of a workload's variants, and by which files: of those that it could be on, some host is of their class.
pub(super) fn says(
    measurements: &[Measurement],
    workload: &Workload,
    hosts: &Hosts,
    (inventory, table): (&Inventory, &Table),
) -> (BTreeMap<Variant, Evidence>, Vec<Witness>) {
    let (mut all, mut witnesses) = (BTreeMap::new(), Vec::new());
    let own = measurements.iter();
    for measurement in own.filter(|m| m.evidence.workload == workload.address.as_str()) {
        let Measurement { file, evidence } = measurement;
        let alike = alike(evidence, hosts, inventory);
        let Some(facts) = alike else {
            let why = format!("no host of its class: {}", evidence.host.class);
            witnesses.push(Witness {
                file: file.clone(),
                unused: Some(why),
                stale: None,
            });
            continue;
        };
        all.extend(evidence.says(table, &workload.suits.needs));
        witnesses.push(Witness {
            file: file.clone(),
            unused: None,
            stale: stale(evidence, &versions(facts)),
        });
    }
    (all, witnesses)
}

/// The host it was measured on where it is still of that class, else any that is.
fn alike<'a>(
    evidence: &EvidenceFile,
    hosts: &Hosts,
    inventory: &'a Inventory,
) -> Option<&'a Facts> {
    let is_alike = |name: &HostName| {
        let facts = &inventory.hosts.get(name)?.facts;
        (class(facts) == evidence.host.class).then_some(facts)
    };
    let named = HostName::new(&evidence.host.name);
    let own = Some(&named).filter(|name| hosts.contains(name));
    own.and_then(is_alike)
        .or_else(|| hosts.iter().find_map(is_alike))
}

/// `docker was 20.10.24 and is 26.1.5`.
fn stale(evidence: &EvidenceFile, now: &BTreeMap<String, String>) -> Option<String> {
    let changed = evidence.host.versions.iter().filter_map(|(name, was)| {
        let is = now.get(name).map_or("unknown", String::as_str);
        (is != was).then(|| format!("{name} was {was} and is {is}"))
    });
    let changed: Vec<String> = changed.collect();
    (!changed.is_empty()).then(|| changed.join(", "))
}
