//! A machine as placing sees it: everything by position, ids only to be told. Equal machines share one.

use std::collections::BTreeMap;

use infra_api::IdSet;

/// Threads of one core are bits of a word.
const MOST_THREADS: usize = 64;

/// What a machine is made of. What is free of it is a [`crate::Room`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Topology {
    /// In the order of their ids.
    pub(crate) nodes: Vec<Node>,
    /// In the order of their first CPUs.
    pub(crate) cores: Vec<Core>,
    /// How many L3 groups there are.
    pub(crate) l3s: usize,
    pub(crate) devices: Vec<Device>,
    /// Sizes of huge pages, ascending.
    pub(crate) page_sizes: Vec<u64>,
    /// Devices that threads of workloads may serve, each with the position of its node.
    pub(crate) served: BTreeMap<String, usize>,
    /// CPU id → core and bit, in the order of the ids.
    cpus: Vec<(u32, usize, u8)>,
    /// Positions of the cores of each node, those of an L3 group together, the group of the lowest CPU first.
    groups: Vec<Vec<Group>>,
}

/// A NUMA node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Node {
    pub id: u32,
    /// What it may be used for without being named.
    pub kind: NodeKind,
    /// To every node, by position; 0 where nothing is known.
    pub distances: Vec<u32>,
    pub package: Option<u32>,
}

/// Cores of one node that share an L3, or of which nothing is known about it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Group {
    pub(crate) l3: Option<usize>,
    pub(crate) cores: Vec<usize>,
}

/// What a node may be used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NodeKind {
    /// It has CPUs and memory that workloads may get.
    #[default]
    Whole,
    /// It has memory, which goes to who names it.
    Memory,
    /// None of its memory may be had: it has none, or it is a device's.
    Barred,
}

/// A core.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Core {
    /// Positions.
    pub node: usize,
    pub l3: Option<usize>,
    /// All its online CPUs, whoever has them.
    pub threads: Vec<u32>,
}

/// A PCI device, or a virtual function of one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Device {
    pub address: String,
    /// What it can be asked for as, in words that hosts and asks agree on.
    pub kinds: Vec<String>,
    /// Position; unknown where the firmware does not tell.
    pub node: Option<usize>,
    /// What stands above it, the nearest bridge first; numbers are unique in the machine.
    pub bridges: Vec<u32>,
    /// Devices of one IOMMU group go together.
    pub group: Option<u32>,
}

impl Topology {
    /// Sorts what it is given; the positions in it are those of `nodes` as given, which must be in the order of ids.
    #[must_use]
    pub fn new(
        nodes: Vec<Node>,
        cores: Vec<Core>,
        devices: Vec<Device>,
        mut page_sizes: Vec<u64>,
    ) -> Self {
        let mut cores: Vec<Core> = cores.into_iter().flat_map(Core::chunks).collect();
        cores.retain(|core| !core.threads.is_empty());
        cores.sort_by(|a, b| a.threads.cmp(&b.threads));
        page_sizes.sort_unstable();
        page_sizes.dedup();
        let mut cpus: Vec<(u32, usize, u8)> = Vec::new();
        for (position, core) in cores.iter().enumerate() {
            cpus.extend(
                (0u8..)
                    .zip(&core.threads)
                    .map(|(bit, cpu)| (*cpu, position, bit)),
            );
        }
        cpus.sort_unstable();
        let l3s = cores
            .iter()
            .filter_map(|c| c.l3)
            .max()
            .map_or(0, |l3| l3 + 1);
        let groups = (0..nodes.len()).map(|node| groups(&cores, node)).collect();
        Self {
            nodes,
            cores,
            l3s,
            devices,
            page_sizes,
            served: BTreeMap::new(),
            cpus,
            groups,
        }
    }

    /// The same with devices that threads of workloads may serve, each with the position of its node, in words that hosts
    /// and asks agree on. Of what is not in it nothing is known.
    #[must_use]
    pub fn serving(self, served: BTreeMap<String, usize>) -> Self {
        Self { served, ..self }
    }

    /// Its cores, by the L3 groups they are of.
    pub(crate) fn groups(&self, node: usize) -> &[Group] {
        &self.groups[node]
    }

    pub(crate) fn cores_of(&self, node: usize) -> impl Iterator<Item = usize> {
        self.groups[node]
            .iter()
            .flat_map(|group| group.cores.iter().copied())
    }

    /// The core and the bit of a CPU.
    pub(crate) fn cpu(&self, id: u32) -> Option<(usize, u64)> {
        let found = self.cpus.binary_search_by_key(&id, |(cpu, ..)| *cpu).ok()?;
        let (_, core, bit) = self.cpus[found];
        Some((core, 1 << bit))
    }

    /// The position of a node.
    pub(crate) fn node(&self, id: u32) -> Option<usize> {
        self.nodes.binary_search_by_key(&id, |node| node.id).ok()
    }

    pub(crate) fn page_size(&self, bytes: u64) -> Option<usize> {
        self.page_sizes.binary_search(&bytes).ok()
    }

    /// The id of its node, where it has only one.
    #[must_use]
    pub fn only_node(&self) -> Option<u32> {
        match self.nodes.as_slice() {
            [node] => Some(node.id),
            _ => None,
        }
    }

    /// CPUs with those of one core together.
    #[must_use]
    pub fn by_core(&self, cpus: &IdSet) -> Vec<u32> {
        let mut cpus: Vec<(usize, u32)> = cpus
            .iter()
            .filter_map(|cpu| Some((self.cpu(cpu)?.0, cpu)))
            .collect();
        cpus.sort_unstable();
        cpus.into_iter().map(|(_, cpu)| cpu).collect()
    }

    /// Positions of the nodes a workload may get without naming them.
    pub(crate) fn whole_nodes(&self) -> impl Iterator<Item = usize> {
        let nodes = self.nodes.iter().enumerate();
        nodes
            .filter(|(_, n)| n.kind == NodeKind::Whole)
            .map(|(position, _)| position)
    }

    /// There and back, as distances need not be symmetric.
    pub(crate) fn distance(&self, a: usize, b: usize) -> u64 {
        let one_way =
            |a: usize, b: usize| u64::from(self.nodes[a].distances.get(b).copied().unwrap_or(0));
        one_way(a, b) + one_way(b, a)
    }
}

fn groups(cores: &[Core], node: usize) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (position, core) in cores.iter().enumerate().filter(|(_, c)| c.node == node) {
        match groups.iter_mut().find(|group| group.l3 == core.l3) {
            Some(group) => group.cores.push(position),
            None => groups.push(Group {
                l3: core.l3,
                cores: vec![position],
            }),
        }
    }
    groups
}

impl Core {
    /// One for every word of threads: a "core" of more is a host that tells odd things, not one to fail on.
    fn chunks(mut self) -> Vec<Self> {
        self.threads.sort_unstable();
        self.threads.dedup();
        let chunk = |threads: &[u32]| Self {
            threads: threads.to_vec(),
            ..self
        };
        self.threads.chunks(MOST_THREADS).map(chunk).collect()
    }

    /// All its threads.
    pub(crate) fn all(&self) -> u64 {
        match self.threads.len() {
            n if n >= MOST_THREADS => u64::MAX,
            n => (1 << n) - 1,
        }
    }

    /// The CPUs of some of its threads.
    pub(crate) fn ids(&self, mut mask: u64) -> impl Iterator<Item = u32> {
        std::iter::from_fn(move || {
            (mask != 0).then(|| {
                let bit = mask.trailing_zeros() as usize;
                mask &= mask - 1;
                self.threads[bit]
            })
        })
    }
}
