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
mod tests {
    use super::*;
    use crate::facts::{Cpus, HugePages, IommuGroup, L3};

    fn ids(text: &str) -> IdSet {
        text.parse().unwrap()
    }

    fn cpu(id: u32, siblings: &str) -> Cpu {
        Cpu {
            id,
            siblings: ids(siblings),
            ..Cpu::default()
        }
    }

    fn node(id: u32, cpus: &str) -> Node {
        Node {
            id,
            cpus: ids(cpus),
            ..Node::default()
        }
    }

    fn of_cpus(list: impl IntoIterator<Item = Cpu>) -> Facts {
        let list: Vec<Cpu> = list.into_iter().collect();
        let online = list.iter().map(|cpu| cpu.id).collect();
        Facts {
            cpus: Cpus {
                online,
                list,
                ..Cpus::default()
            },
            ..Facts::default()
        }
    }

    fn of_nodes(nodes: impl IntoIterator<Item = Node>) -> Facts {
        Facts {
            nodes: nodes.into_iter().collect(),
            ..of_cpus([cpu(0, "0"), cpu(1, "1")])
        }
    }

    /// What is said, without the files.
    fn said(facts: &Facts) -> Vec<String> {
        let all = facts.contradictions();
        assert!(
            all.iter()
                .all(|c| c.files.iter().all(|file| file.starts_with("/sys/")))
        );
        all.into_iter().map(|c| c.what).collect()
    }

    #[test]
    fn what_is_unknown_contradicts_nothing() {
        assert_eq!(said(&Facts::default()), [""; 0]);
        let mut facts = of_nodes([node(0, "0")]);
        facts.cpus.list = vec![Cpu::default(), cpu(1, "1,7")];
        facts.pci = vec![PciDevice {
            iommu_group: Some(3),
            numa_node: Some(9),
            physfn: Some("0000:00:01.0".into()),
            ..PciDevice::default()
        }];
        assert_eq!(said(&facts), [""; 0]);
    }

    #[test]
    fn records_that_are_there_twice() {
        let mut facts = of_cpus([cpu(4, "4"), cpu(4, "4")]);
        facts.nodes = vec![node(2, ""), node(2, "")];
        facts.l3 = vec![l3(6, "4"), l3(6, "4")];
        facts.pci = vec![PciDevice::default(), PciDevice::default()];
        facts.pci[0].address = "0000:00:01.0".into();
        facts.pci[1].address = "0000:00:01.0".into();
        let twice = ["CPU 4", "node 2", "L3 group 6", "PCI device 0000:00:01.0"];
        assert_eq!(
            said(&facts),
            twice.map(|what| format!("{what} is described twice"))
        );
    }

    #[test]
    fn cpus_that_run_and_are_not_there() {
        let mut facts = of_cpus([cpu(0, "0"), cpu(1, "1")]);
        facts.cpus.present = Some(ids("0"));
        facts.cpus.list.push(cpu(7, "7"));
        assert_eq!(
            said(&facts),
            [
                "CPU 1 is online and not present: present are 0",
                "CPU 7 is described and not online: online are 0-1",
            ]
        );
    }

    #[test]
    fn a_core_is_one_thing_in_one_place() {
        assert_eq!(
            said(&of_cpus([cpu(0, "1"), cpu(1, "1")])),
            ["CPU 0 is no thread of its core, which has 1"]
        );
        assert_eq!(
            said(&of_cpus([cpu(0, "0-1"), cpu(1, "1")])),
            ["CPU 1 is in two cores: its own threads are 1, those of CPU 0 are 0-1"]
        );
        let mut alone = [cpu(0, "0"), cpu(1, "1")];
        alone.iter_mut().for_each(|cpu| cpu.core = Some(5));
        assert_eq!(
            said(&of_cpus(alone)),
            ["CPUs 0 and 1 are of core 5, and the threads of one are 0, of the other 1"]
        );
        type Place = fn(&mut Cpu) -> &mut Option<u32>;
        let places: [(&str, Place); 3] = [
            ("dies", |cpu| &mut cpu.die),
            ("packages", |cpu| &mut cpu.package),
            ("nodes", |cpu| &mut cpu.node),
        ];
        for (what, place) in places {
            let mut core = [cpu(0, "0-1"), cpu(1, "0-1")];
            for cpu in &mut core {
                cpu.core = Some(5);
                *place(cpu) = Some(cpu.id + 20);
            }
            assert_eq!(
                said(&of_cpus(core)),
                [format!(
                    "CPUs 0 and 1 are threads of core 5, and in two {what}: 20 and 21"
                )]
            );
        }
    }

    fn l3(id: u32, cpus: &str) -> L3 {
        L3 {
            id,
            cpus: ids(cpus),
            size_bytes: None,
        }
    }

    #[test]
    fn caches() {
        let mut facts = of_cpus([cpu(0, "0"), cpu(1, "1"), cpu(2, "2")]);
        facts.cpus.list[1].l3 = Some(4);
        facts.cpus.list[2].l3 = Some(8);
        facts.l3 = vec![l3(3, "0-1"), l3(4, "0")];
        assert_eq!(
            said(&facts),
            [
                "CPU 1 is in two L3 groups: 4 and 3",
                "CPU 0 is in two L3 groups: 3 and 4",
                "CPU 2 is in L3 group 8, which does not have it",
            ]
        );
    }

    #[test]
    fn cpus_of_nodes() {
        let mut facts = of_nodes([node(0, "0-1"), node(1, "1"), node(3, "0,9")]);
        facts.cpus.list[0].node = Some(1);
        facts.cpus.list[1].node = Some(7);
        assert_eq!(
            said(&facts),
            [
                "CPU 1 is in two nodes: node 0 has 0-1, node 1 has 1",
                "node 3 has CPU 9, which is not online: online are 0-1",
                "CPU 0 is in two nodes: node 0 has 0-1, node 3 has 0,9",
                "CPU 0 is in node 1, which does not have it",
                "CPU 1 is in node 7, which does not have it",
            ]
        );
    }

    #[test]
    fn memory_of_nodes() {
        let pool = HugePages {
            size_bytes: 64,
            total: Some(2),
            ..HugePages::default()
        };
        let pages = Node {
            memory_bytes: Some(100),
            hugepages: vec![pool],
            ..node(0, "")
        };
        let free = Node {
            memory_bytes: Some(100),
            free_bytes: Some(101),
            ..node(1, "")
        };
        assert_eq!(
            said(&of_nodes([pages, free])),
            [
                "node 0 has 100 bytes of memory, and 128 in huge pages",
                "node 1 has 100 bytes of memory, and 101 free",
            ]
        );
    }

    #[test]
    fn rows_of_another_size() {
        let row = |id: u32, distances: &[u32]| Node {
            distances: distances.iter().map(|to| (*to, 10)).collect(),
            ..node(id, "")
        };
        assert_eq!(
            said(&of_nodes([row(0, &[0]), row(2, &[0, 2, 5]), row(4, &[])])),
            [
                "node 0 has 1 distances for 3 nodes: it has none to node 2",
                "node 2 has 3 distances for 3 nodes: it has none to node 4",
            ]
        );
        assert_eq!(
            said(&of_nodes([row(0, &[0, 5])])),
            ["node 0 has 2 distances for 1 nodes: there is no node 5"]
        );
    }

    #[test]
    fn iommu_groups() {
        let device = |address: &str, group: u32| PciDevice {
            address: address.into(),
            iommu_group: Some(group),
            ..PciDevice::default()
        };
        let group = |id: u32, devices: &[&str]| IommuGroup {
            id,
            devices: devices.iter().map(|device| (*device).to_owned()).collect(),
        };
        let mut facts = Facts {
            pci: vec![
                device("a", 1),
                device("b", 2),
                device("c", 1),
                device("d", 1),
            ],
            iommu_groups: vec![group(1, &["a", "b"]), group(2, &["a", "d"])],
            ..Facts::default()
        };
        facts.pci[3].physfn = Some("d".into());
        assert_eq!(
            said(&facts),
            [
                "PCI device a is in two IOMMU groups: 1 and 2",
                "PCI device b is in two IOMMU groups: 2 and 1",
                "PCI device c is in IOMMU group 1, which does not have it",
                "PCI device d is a virtual function of itself",
            ]
        );
    }
}
