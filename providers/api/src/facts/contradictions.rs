//! Facts that cannot all be true: found before anything is planned on them.
//!
//! What is unknown contradicts nothing. Nothing is guessed about which of two facts is the wrong
//! one: both are named, and the file of the kernel each is read from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{Cpu, Facts, Node, PciDevice};
use crate::cpuset::IdSet;

const CPU: &str = "/sys/devices/system/cpu";
const NODE: &str = "/sys/devices/system/node";

/// Two facts of a host that cannot both be true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// What is said, with its numbers.
    pub what: String,
    /// Where the kernel says so: files of the host.
    pub files: Vec<String>,
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.what, self.files.join(", "))
    }
}

fn found(what: String, files: impl IntoIterator<Item = String>) -> Contradiction {
    let files = files.into_iter().collect();
    Contradiction { what, files }
}

impl Facts {
    /// What in these facts cannot be true, in the order of the document. Empty of a host whose
    /// facts hang together.
    pub fn contradictions(&self) -> Vec<Contradiction> {
        let cpus: BTreeMap<u32, &Cpu> = self.cpus.list.iter().map(|cpu| (cpu.id, cpu)).collect();
        let checks = [
            twice(self),
            running(self),
            cores(&cpus),
            l3_groups(self, &cpus),
            node_cpus(self, &cpus),
            node_memory(self),
            distances(self),
            groups(self),
        ];
        checks.into_iter().flatten().collect()
    }
}

/// Records with the id of another.
fn twice(facts: &Facts) -> Vec<Contradiction> {
    let mut all = Vec::new();
    let mut note = |what: &str, id: String, file: String| {
        all.push(found(format!("{what} {id} is described twice"), [file]));
    };
    for id in repeated(facts.cpus.list.iter().map(|cpu| cpu.id)) {
        note("CPU", id.to_string(), format!("{CPU}/cpu{id}"));
    }
    for id in repeated(facts.nodes.iter().map(|node| node.id)) {
        note("node", id.to_string(), format!("{NODE}/node{id}"));
    }
    for id in repeated(facts.l3.iter().map(|l3| l3.id)) {
        note("L3 group", id.to_string(), format!("{CPU}/cpu*/cache"));
    }
    for address in repeated(facts.pci.iter().map(|device| &device.address)) {
        let file = format!("/sys/bus/pci/devices/{address}");
        note("PCI device", address.clone(), file);
    }
    all
}

fn repeated<T: Ord + Copy>(ids: impl Iterator<Item = T>) -> BTreeSet<T> {
    let mut seen = BTreeSet::new();
    ids.filter(|id| !seen.insert(*id)).collect()
}

/// CPUs that run and are not there.
fn running(facts: &Facts) -> Vec<Contradiction> {
    let mut all = Vec::new();
    let online = &facts.cpus.online;
    if let Some(present) = &facts.cpus.present {
        let absent = online - present;
        if !absent.is_empty() {
            let what = format!("CPU {absent} is online and not present: present are {present}");
            all.push(found(
                what,
                [format!("{CPU}/online"), format!("{CPU}/present")],
            ));
        }
    }
    let stopped = facts
        .cpus
        .list
        .iter()
        .filter(|cpu| !online.contains(cpu.id));
    all.extend(stopped.map(|cpu| {
        let what = format!(
            "CPU {} is described and not online: online are {online}",
            cpu.id
        );
        found(what, [format!("{CPU}/online")])
    }));
    all
}

fn core_files(cpus: [u32; 2]) -> impl Iterator<Item = String> {
    let file = |cpu| format!("{CPU}/cpu{cpu}/topology/core_cpus_list");
    cpus.into_iter().map(file)
}

/// A CPU in two cores, and a core in two places.
fn cores(cpus: &BTreeMap<u32, &Cpu>) -> Vec<Contradiction> {
    let mut all = Vec::new();
    let mut cores: BTreeMap<u32, &Cpu> = BTreeMap::new();
    // Where nothing is said of a CPU's threads, nothing is wrong.
    for cpu in cpus.values().filter(|cpu| !cpu.siblings.is_empty()) {
        if !cpu.siblings.contains(cpu.id) {
            let what = format!(
                "CPU {} is no thread of its core, which has {}",
                cpu.id, cpu.siblings
            );
            all.push(found(what, core_files([cpu.id, cpu.id]).take(1)));
            continue;
        }
        let siblings = cpu.siblings.iter().filter_map(|id| cpus.get(&id));
        let told = siblings.filter(|other| !other.siblings.is_empty());
        // Of two that name each other, the first one tells.
        let mut told = told.filter(|other| cpu.id < other.id || !other.siblings.contains(cpu.id));
        if let Some(other) = told.find(|other| other.siblings != cpu.siblings) {
            let what = format!(
                "CPU {} is in two cores: its own threads are {}, those of CPU {} are {}",
                other.id, other.siblings, cpu.id, cpu.siblings
            );
            all.push(found(what, core_files([cpu.id, other.id])));
            continue;
        }
        let first = *cpu
            .core
            .map_or(cpu, |core| cores.entry(core).or_insert(cpu));
        all.extend(apart(first, cpu));
    }
    all
}

/// What two threads of one core cannot differ in.
fn apart(first: &Cpu, cpu: &Cpu) -> Option<Contradiction> {
    let [core, id, other] = [cpu.core?, cpu.id, first.id];
    if first.siblings != cpu.siblings {
        let what = format!(
            "CPUs {other} and {id} are of core {core}, and the threads of one are {}, of the other {}",
            first.siblings, cpu.siblings
        );
        return Some(found(what, core_files([other, id])));
    }
    let places = [
        ("dies", first.die, cpu.die),
        ("packages", first.package, cpu.package),
        ("nodes", first.node, cpu.node),
    ];
    let differs = |(_, a, b): &(_, Option<u32>, Option<u32>)| a.is_some() && b.is_some() && a != b;
    let (what, a, b) = places.into_iter().find(differs)?;
    let what = format!(
        "CPUs {other} and {id} are threads of core {core}, and in two {what}: {} and {}",
        a.unwrap_or_default(),
        b.unwrap_or_default()
    );
    Some(found(what, core_files([other, id])))
}

fn l3_groups(facts: &Facts, cpus: &BTreeMap<u32, &Cpu>) -> Vec<Contradiction> {
    let mut all = Vec::new();
    let mut owner: BTreeMap<u32, u32> = BTreeMap::new();
    let file = |cpu: u32| format!("{CPU}/cpu{cpu}/cache/index3/shared_cpu_list");
    for group in &facts.l3 {
        for cpu in &group.cpus {
            let told = cpus.get(&cpu).and_then(|cpu| cpu.l3);
            let before = *owner.entry(cpu).or_insert(group.id);
            let mut others = [Some(before), told].into_iter().flatten();
            if let Some(other) = others.find(|other| *other != group.id) {
                let what = format!("CPU {cpu} is in two L3 groups: {other} and {}", group.id);
                all.push(found(what, [file(cpu)]));
            }
        }
    }
    let lost = cpus.values().filter(|_| !facts.l3.is_empty());
    let lost = lost.filter_map(|cpu| Some((cpu.id, cpu.l3?)));
    all.extend(
        lost.filter(|(cpu, _)| !owner.contains_key(cpu))
            .map(|(cpu, l3)| {
                let what = format!("CPU {cpu} is in L3 group {l3}, which does not have it");
                found(what, [file(cpu)])
            }),
    );
    all
}

fn node_file(node: u32) -> String {
    format!("{NODE}/node{node}/cpulist")
}

/// Nodes that overlap, nodes with CPUs that are not there, and CPUs that say otherwise.
fn node_cpus(facts: &Facts, cpus: &BTreeMap<u32, &Cpu>) -> Vec<Contradiction> {
    let mut all = Vec::new();
    for (at, node) in facts.nodes.iter().enumerate() {
        let absent = &node.cpus - &facts.cpus.online;
        if !absent.is_empty() {
            let what = format!(
                "node {} has CPU {absent}, which is not online: online are {}",
                node.id, facts.cpus.online
            );
            all.push(found(what, [node_file(node.id), format!("{CPU}/online")]));
        }
        let before = facts.nodes.iter().take(at);
        for other in before.filter(|other| !other.cpus.is_disjoint(&node.cpus)) {
            let what = format!(
                "CPU {} is in two nodes: node {} has {}, node {} has {}",
                &other.cpus & &node.cpus,
                other.id,
                other.cpus,
                node.id,
                node.cpus
            );
            all.push(found(what, [node_file(other.id), node_file(node.id)]));
        }
    }
    let known: BTreeMap<u32, &IdSet> = facts.nodes.iter().map(|n| (n.id, &n.cpus)).collect();
    let placed = cpus.values().filter_map(|cpu| Some((cpu.id, cpu.node?)));
    let placed = placed.filter(|_| !known.is_empty());
    let wrong =
        placed.filter(|(cpu, node)| !known.get(node).is_some_and(|cpus| cpus.contains(*cpu)));
    all.extend(wrong.map(|(cpu, node)| {
        let what = format!("CPU {cpu} is in node {node}, which does not have it");
        found(what, [node_file(node)])
    }));
    all
}

/// Nodes with less memory than is counted in them.
fn node_memory(facts: &Facts) -> Vec<Contradiction> {
    let check = |node: &Node| {
        let memory = node.memory_bytes?;
        let pools = node
            .hugepages
            .iter()
            .filter_map(|pool| Some(pool.total?.saturating_mul(pool.size_bytes)));
        let (held, name) = [
            (node.free_bytes.unwrap_or(0), "free"),
            (pools.fold(0, u64::saturating_add), "in huge pages"),
        ]
        .into_iter()
        .find(|(held, _)| *held > memory)?;
        let what = format!(
            "node {} has {memory} bytes of memory, and {held} {name}",
            node.id
        );
        let directory = format!("{NODE}/node{}", node.id);
        Some(found(
            what,
            [
                format!("{directory}/meminfo"),
                format!("{directory}/hugepages"),
            ],
        ))
    };
    facts.nodes.iter().filter_map(check).collect()
}

/// Rows of the matrix that are not those of the nodes. A row that is not there is unknown.
fn distances(facts: &Facts) -> Vec<Contradiction> {
    let ids: BTreeSet<u32> = facts.nodes.iter().map(|node| node.id).collect();
    let check = |node: &Node| {
        let row: BTreeSet<u32> = node.distances.keys().copied().collect();
        let odd = row.symmetric_difference(&ids).next();
        let odd = odd.filter(|_| !row.is_empty())?;
        let what = format!(
            "node {} has {} distances for {} nodes: {} node {odd}",
            node.id,
            row.len(),
            ids.len(),
            if row.contains(odd) {
                "there is no"
            } else {
                "it has none to"
            }
        );
        Some(found(what, [format!("{NODE}/node{}/distance", node.id)]))
    };
    facts.nodes.iter().filter_map(check).collect()
}

/// IOMMU groups that devices do not agree about, and functions of themselves.
fn groups(facts: &Facts) -> Vec<Contradiction> {
    let mut owner: BTreeMap<&str, u32> = BTreeMap::new();
    let mut all = Vec::new();
    let groups = facts.iommu_groups.iter();
    let members = groups.flat_map(|group| group.devices.iter().map(|device| (device, group.id)));
    for (device, group) in members {
        let before = *owner.entry(device).or_insert(group);
        if before != group {
            let what = format!("PCI device {device} is in two IOMMU groups: {before} and {group}");
            all.push(found(
                what,
                [format!("/sys/kernel/iommu_groups/{group}/devices")],
            ));
        }
    }
    let check = |device: &PciDevice| {
        let address = &device.address;
        let file = |name: &str| format!("/sys/bus/pci/devices/{address}/{name}");
        if device.physfn.as_ref() == Some(address) {
            let what = format!("PCI device {address} is a virtual function of itself");
            return Some(found(what, [file("physfn")]));
        }
        let group = device.iommu_group.filter(|_| !owner.is_empty())?;
        let listed = owner.get(address.as_str()).copied();
        let what = match listed {
            Some(listed) if listed == group => return None,
            Some(listed) => {
                format!("PCI device {address} is in two IOMMU groups: {group} and {listed}")
            }
            None => {
                format!("PCI device {address} is in IOMMU group {group}, which does not have it")
            }
        };
        Some(found(what, [file("iommu_group")]))
    };
    all.extend(facts.pci.iter().filter_map(check));
    all
}

#[cfg(test)]
mod tests;
