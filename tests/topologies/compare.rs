//! Facts beside what hwloc ships: whatever both tell must be the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use infra_api::facts::{Cpu, CpuKind, MemoryKind, Node, NodeKind, PciDevice};
use infra_api::{Facts, IdSet};

use crate::hwloc::{Object, Shipped};

/// One comparison that failed.
#[derive(Debug)]
pub(crate) struct Difference {
    pub(crate) fact: String,
    pub(crate) expected: String,
    pub(crate) ours: String,
}

#[derive(Default)]
pub(crate) struct Differences(pub(crate) Vec<Difference>);

impl Differences {
    pub(crate) fn check(&mut self, fact: &str, expected: impl Display, ours: impl Display) {
        let (expected, ours) = (expected.to_string(), ours.to_string());
        if expected != ours {
            let fact = fact.to_owned();
            self.0.push(Difference {
                fact,
                expected,
                ours,
            });
        }
    }

    /// Sets that only one of the two has.
    fn check_sets(&mut self, fact: &str, expected: &Sets, ours: &Sets) {
        self.check(
            fact,
            short(expected.difference(ours)),
            short(ours.difference(expected)),
        );
    }
}

type Sets = BTreeSet<IdSet>;

/// Enough to tell by: the first three, and how many there are.
fn short<'a>(sets: impl Iterator<Item = &'a IdSet>) -> String {
    let all: Vec<String> = sets.map(|set| set.to_string()).collect();
    match all.get(..3) {
        Some(first) if all.len() > 3 => format!("{} … {} in all", first.join(" / "), all.len()),
        _ => all.join(" / "),
    }
}

/// hwloc shows what may be used under the cgroup a tree was saved in, so that is what is compared.
pub(crate) struct Comparison<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) shipped: &'a Shipped,
    usable: IdSet,
    pub(crate) found: Differences,
}

impl<'a> Comparison<'a> {
    pub(crate) fn new(facts: &'a Facts, shipped: &'a Shipped) -> Comparison<'a> {
        Comparison {
            facts,
            shipped,
            usable: facts.usable_cpus(),
            found: Differences::default(),
        }
    }

    pub(crate) fn everything(mut self) -> Differences {
        self.cpus();
        self.kinds();
        self.nodes();
        self.distances();
        self.pci();
        self.found
    }

    fn cpus(&mut self) {
        let cpus: IdSet = self.shipped.all("PU").filter_map(|pu| pu.id).collect();
        self.found.check("cpus", cpus, &self.usable);
        self.divided("cores", &["Core"], |cpu| cpu.core);
        self.divided("packages", &["Package"], |cpu| cpu.package);
        self.divided("L3 groups", &["L3Cache"], |cpu| cpu.l3);
        self.also_divided("dies", &["Die"], |cpu| cpu.die);
        self.also_divided("clusters", &["Group(Cluster)", "Group(Module)"], |cpu| {
            cpu.cluster
        });
        self.also_divided("books", &["Group(Book)"], |cpu| cpu.book);
        self.also_divided("drawers", &["Group(Drawer)"], |cpu| cpu.drawer);
    }

    fn theirs(&self, kinds: &[&str]) -> Sets {
        let is = |o: &&Object| {
            let name = match o.subtype.as_str() {
                "" => o.kind.clone(),
                subtype => format!("{}({subtype})", o.kind),
            };
            kinds.contains(&name.as_str()) || kinds.contains(&o.kind.as_str())
        };
        let sets = self
            .shipped
            .objects
            .iter()
            .filter(is)
            .map(|o| o.cpus.clone());
        sets.filter(|set| !set.is_empty()).collect()
    }

    fn ours(&self, of: impl Fn(&Cpu) -> Option<u32>) -> Sets {
        let mut groups: BTreeMap<u32, IdSet> = BTreeMap::new();
        let usable = self
            .facts
            .cpus
            .list
            .iter()
            .filter(|cpu| self.usable.contains(cpu.id));
        for cpu in usable {
            if let Some(group) = of(cpu) {
                groups.entry(group).or_default().insert(cpu.id);
            }
        }
        groups.into_values().collect()
    }

    fn divided(&mut self, fact: &str, kinds: &[&str], of: impl Fn(&Cpu) -> Option<u32>) {
        let (theirs, ours) = (self.theirs(kinds), self.ours(of));
        self.found.check_sets(fact, &theirs, &ours);
    }

    /// What hwloc leaves out where another object has the same CPUs.
    fn also_divided(&mut self, fact: &str, kinds: &[&str], of: impl Fn(&Cpu) -> Option<u32>) {
        let (theirs, mut ours) = (self.theirs(kinds), self.ours(of));
        let shown: Sets = self
            .shipped
            .objects
            .iter()
            .map(|o| o.cpus.clone())
            .collect();
        ours.retain(|set| theirs.contains(set) || !shown.contains(set));
        self.found.check_sets(fact, &theirs, &ours);
    }

    /// Which CPUs are of the lesser kind.
    fn kinds(&mut self) {
        let [least, ..] = self.shipped.kinds.as_slice() else {
            let ours = self
                .facts
                .cpus
                .list
                .iter()
                .filter(|cpu| cpu.kind.is_some())
                .count();
            return self.found.check("CPUs of a kind", 0, ours);
        };
        let lesser = |cpu: &&Cpu| cpu.kind == Some(CpuKind::Efficiency);
        let ours: IdSet = self
            .facts
            .cpus
            .list
            .iter()
            .filter(lesser)
            .map(|cpu| cpu.id)
            .collect();
        self.found
            .check("efficient CPUs", least, &ours & &self.usable);
    }

    fn nodes(&mut self) {
        let shown: IdSet = self
            .shipped
            .all("NUMANode")
            .filter_map(|node| node.id)
            .collect();
        let host = self
            .facts
            .nodes
            .iter()
            .filter(|node| node.kind != NodeKind::Device);
        let host: IdSet = host.map(|node| node.id).collect();
        let allowed = match &self.facts.allowed_nodes {
            Some(allowed) => allowed & &host,
            None => host,
        };
        self.found.check("nodes", &shown, &allowed);
        let shipped = self.shipped;
        for object in shipped.all("NUMANode") {
            let node = object.id.and_then(|id| self.facts.node(id));
            if let Some(node) = node {
                self.node(object, node);
            }
        }
    }

    fn node(&mut self, object: &Object, node: &Node) {
        let fact = |what: &str| format!("{what} of node {}", node.id);
        let cpus = self.cpus_near(node);
        self.found
            .check(&fact("CPUs"), self.shipped.near(object), cpus);
        if !object.memory.is_empty() {
            let ours = rounded(node.memory_bytes, &object.memory);
            self.found.check(&fact("memory"), &object.memory, ours);
        }
        self.found
            .check(&fact("kind"), &object.subtype, memory_kind(node));
        if let Some(speed) = self.shipped.bandwidth.get(&node.id) {
            let ours = node.read_bandwidth_mb_s.unwrap_or(0);
            self.found.check(&fact("bandwidth"), speed, ours);
        }
        for (size, count) in &object.pages {
            if Some(*size) != self.facts.page_bytes && *size > 4096 {
                let ours = node.pool(*size).and_then(|pool| pool.total).unwrap_or(0);
                self.found
                    .check(&fact(&format!("pages of {size}")), count, ours);
            }
        }
    }

    /// A node's CPUs; of a node of whose CPUs none may be used, those of the nodes that reach it best, else all.
    fn cpus_near(&self, node: &Node) -> IdSet {
        let usable = &node.cpus & &self.usable;
        if !usable.is_empty() {
            return usable;
        }
        let initiators = node.initiators.iter().flatten();
        let nodes = initiators.filter_map(|id| self.facts.node(id));
        let cpus = nodes.fold(IdSet::new(), |all, node| &all | &node.cpus);
        match cpus.is_empty() {
            true => self.usable.clone(),
            false => &cpus & &self.usable,
        }
    }

    fn distances(&mut self) {
        for ((from, to), theirs) in &self.shipped.distances {
            let node = self.facts.node(*from);
            let ours = node
                .and_then(|node| node.distances.get(to))
                .copied()
                .unwrap_or(0);
            self.found
                .check(&format!("distance {from} {to}"), theirs, ours);
        }
    }

    fn pci(&mut self) {
        let shipped = self.shipped;
        let known = shipped.objects.iter().filter(|o| !o.address.is_empty());
        for object in known {
            let fact = |what: &str| format!("{what} of {}", object.address);
            let Some(device) = self.facts.pci(&object.address) else {
                self.found
                    .check(&fact("identity"), &object.identity, "no such device");
                continue;
            };
            self.found
                .check(&fact("identity"), &object.identity, identity(device));
            let near = shipped.near(object);
            self.found.check(&fact("CPUs"), near, self.near(device));
            // hwloc leaves out bridges that lead to nothing it shows.
            let mut bridges: Vec<&str> = shipped
                .above(object)
                .filter(|above| above.kind == "PCIBridge")
                .map(|above| above.address.as_str())
                .collect();
            bridges.reverse();
            let ours = self.facts.bridges(&object.address);
            self.found
                .check(&fact("bridges"), bridges.join(" "), ours.join(" "));
        }
    }

    fn near(&self, device: &PciDevice) -> IdSet {
        let node = self.facts.near(device).and_then(|id| self.facts.node(id));
        // The kernel's own word may be narrower than a node.
        let local = device.local_cpus.as_ref().or(node.map(|node| &node.cpus));
        let near = local.map(|cpus| cpus & &self.usable);
        near.filter(|cpus| !cpus.is_empty())
            .unwrap_or_else(|| self.usable.clone())
    }
}

fn memory_kind(node: &Node) -> &'static str {
    match node.memory_kind {
        _ if node.kind == NodeKind::Device => "GPUMemory",
        None => "",
        Some(MemoryKind::Dram) => "DRAM",
        Some(MemoryKind::Hbm) => "HBM",
        Some(MemoryKind::Persistent) => "NVM",
        Some(MemoryKind::Cxl) => "CXL-DRAM",
        Some(MemoryKind::SpecialPurpose) => "SPM",
        Some(MemoryKind::OtherTier) => "another tier",
    }
}

/// A size in the unit of another text: `2935MiB`.
fn rounded(bytes: Option<u64>, like: &str) -> String {
    let unit = like.trim_start_matches(|c: char| c.is_ascii_digit());
    let units = ["", "KiB", "MiB", "GiB", "TiB"];
    let power = units.iter().position(|known| *known == unit).unwrap();
    let scale = 1024u64.pow(u32::try_from(power).unwrap());
    bytes.map_or("unknown".to_owned(), |bytes| {
        format!("{}{unit}", (bytes + scale / 2) / scale)
    })
}

/// `VENDOR:DEVICE CLASS`, zeros for what is unknown, as hwloc prints it.
fn identity(device: &PciDevice) -> String {
    let digits = |text: &Option<String>| text.clone().unwrap_or_else(|| "0000".to_owned());
    let class = device.class.as_deref().map_or("0000", |class| &class[..4]);
    format!(
        "{}:{} {class}",
        digits(&device.vendor),
        digits(&device.device)
    )
}
