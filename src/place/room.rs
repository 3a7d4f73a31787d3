//! What is free on one host.

use std::collections::BTreeMap;

use infra_api::IdSet;

use crate::topology::{NodeKind, Topology};

/// What is free. Two hosts of one topology whose rooms are equal are the same to every workload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Room {
    /// Of each core, threads that nobody has to himself.
    pub(crate) cores: Vec<CoreRoom>,
    pub(crate) nodes: Vec<NodeRoom>,
    /// Ordinary bytes of the whole host; unknown is enough.
    pub(crate) bytes: Option<u64>,
    /// Where more is promised than there is, what there is: nobody gets more.
    pub(crate) most: Option<u64>,
    /// Bytes that are bound to several nodes together, by their positions. Where within them they come to lie is not
    /// decided here.
    pub(crate) together: BTreeMap<IdSet, u64>,
    /// Positions of devices nobody has.
    pub(crate) devices: IdSet,
    /// CPUs asked for by those who share them, without those who name theirs.
    pub(crate) shared_cpus: u64,
    /// Somebody shares: one CPU at least stays free.
    pub(crate) sharers: bool,
    /// So many shared CPUs may come on one that is free, in thousandths; unknown: as many as may be.
    pub(crate) cpu_ratio: Option<u32>,
}

/// Of one core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct CoreRoom {
    /// Threads nobody has to himself.
    pub(crate) free: u64,
    /// Of these, threads that are shared by name: nobody may have them to himself.
    pub(crate) named: u64,
}

impl CoreRoom {
    /// Threads somebody may have to himself.
    pub(crate) fn open(self) -> u64 {
        self.free & !self.named
    }
}

/// Of one node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct NodeRoom {
    /// Ordinary bytes; unknown is enough.
    pub(crate) bytes: Option<u64>,
    /// As [`Room::most`].
    pub(crate) most: Option<u64>,
    /// By the position of the size.
    pub(crate) pages: Vec<u64>,
    /// Somebody shares CPUs of this node.
    pub(crate) sharers: bool,
}

/// What a host has for workloads, in the words of the kernel.
#[derive(Clone, Debug, Default)]
pub struct Stock {
    pub cpus: IdSet,
    /// Of these, CPUs that others are bound to: they can be shared and nobody may have them to himself.
    pub bound: IdSet,
    pub bytes: Option<u64>,
    /// By node; a node that is not in it does not tell.
    pub node_bytes: BTreeMap<u32, u64>,
    /// By node and size.
    pub pages: BTreeMap<(u32, u64), u64>,
    /// Addresses of devices.
    pub devices: Vec<String>,
    pub cpu_ratio: Option<u32>,
    /// Ordinary bytes that are promised in all, in percent of those there are.
    pub memory_percent: Option<u32>,
}

impl Stock {
    fn promised(&self, bytes: u64) -> u64 {
        let percent = u128::from(self.memory_percent.unwrap_or(100));
        u64::try_from(u128::from(bytes) * percent / 100).unwrap_or(u64::MAX)
    }
}

/// The less of both; unknown is enough.
fn least(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    a.into_iter().chain(b).min()
}

impl NodeRoom {
    /// Ordinary bytes that one may get.
    pub(crate) fn for_one(&self) -> Option<u64> {
        least(self.bytes, self.most)
    }
}

impl Room {
    /// Ordinary bytes that one may get.
    pub(crate) fn for_one(&self) -> Option<u64> {
        least(self.bytes, self.most)
    }

    #[must_use]
    pub fn new(topology: &Topology, stock: &Stock) -> Self {
        let mask = |core: &crate::topology::Core, of: &IdSet| {
            let bits = (0u32..)
                .zip(&core.threads)
                .filter(|(_, cpu)| of.contains(**cpu));
            bits.fold(0, |all, (bit, _)| all | 1 << bit)
        };
        let core = |core: &crate::topology::Core| CoreRoom {
            free: mask(core, &stock.cpus),
            named: mask(core, &stock.bound),
        };
        let promised = |bytes: Option<u64>| Some(stock.promised(bytes?));
        let most = |bytes: Option<u64>| bytes.filter(|_| stock.memory_percent.is_some());
        let bytes = |node: &crate::topology::Node| match node.kind {
            NodeKind::Barred => Some(0),
            NodeKind::Whole | NodeKind::Memory => stock.node_bytes.get(&node.id).copied(),
        };
        let node = |node: &crate::topology::Node| NodeRoom {
            bytes: promised(bytes(node)),
            most: most(bytes(node)),
            pages: (topology.page_sizes.iter())
                .map(|size| stock.pages.get(&(node.id, *size)).copied().unwrap_or(0))
                .collect(),
            sharers: false,
        };
        let devices = (0u32..).zip(&topology.devices);
        Self {
            cores: topology.cores.iter().map(core).collect(),
            nodes: topology.nodes.iter().map(node).collect(),
            bytes: promised(stock.bytes),
            most: most(stock.bytes),
            together: BTreeMap::new(),
            devices: devices
                .filter(|(_, d)| stock.devices.contains(&d.address))
                .map(|(position, _)| position)
                .collect(),
            shared_cpus: 0,
            sharers: false,
            cpu_ratio: stock.cpu_ratio,
        }
    }

    /// CPUs nobody has to himself.
    #[must_use]
    pub fn free(&self, topology: &Topology) -> IdSet {
        self.cpus(topology, |core| core.free)
    }

    /// Those of nodes, by their ids.
    #[must_use]
    pub fn free_on_nodes(&self, topology: &Topology, nodes: &IdSet) -> IdSet {
        let nodes: Vec<usize> = nodes.iter().filter_map(|id| topology.node(id)).collect();
        self.free_on(topology, &nodes)
    }

    /// How many CPUs nobody has to himself there are for each TiB of free memory; none where that is unknown, which is
    /// enough.
    pub(crate) fn cpus_per_tib(&self) -> u64 {
        let free = self.cores.iter().map(|core| core.free.count_ones());
        let free = u128::from(free.sum::<u32>());
        let per_tib = |bytes: u64| (free << 40) / u128::from(bytes.max(1));
        u64::try_from(self.bytes.map_or(0, per_tib)).unwrap_or(u64::MAX)
    }

    /// Those of the given nodes.
    pub(crate) fn free_on(&self, topology: &Topology, nodes: &[usize]) -> IdSet {
        let cores = nodes.iter().flat_map(|node| topology.cores_of(*node));
        let free = cores.flat_map(|core| topology.cores[core].ids(self.cores[core].free));
        free.collect()
    }

    pub(crate) fn cpus(&self, topology: &Topology, of: fn(CoreRoom) -> u64) -> IdSet {
        let cores = topology.cores.iter().zip(&self.cores);
        cores.flat_map(|(core, room)| core.ids(of(*room))).collect()
    }

    /// How many CPUs are free on a node, and how many could be had to oneself.
    pub(crate) fn count(&self, topology: &Topology, node: usize) -> (u32, u32) {
        topology.cores_of(node).fold((0, 0), |(free, open), core| {
            let room = self.cores[core];
            (
                free + room.free.count_ones(),
                open + room.open().count_ones(),
            )
        })
    }

    /// Whether all of these could be had to oneself.
    pub(crate) fn are_open(&self, topology: &Topology, cpus: &IdSet) -> bool {
        cpus.iter().all(|cpu| {
            topology
                .cpu(cpu)
                .is_some_and(|(core, bit)| self.cores[core].open() & bit != 0)
        })
    }

    /// Takes CPUs out.
    pub(crate) fn take_cpus(&mut self, topology: &Topology, cpus: &IdSet) {
        for (core, bit) in cpus.iter().filter_map(|cpu| topology.cpu(cpu)) {
            self.cores[core].free &= !bit;
        }
    }

    /// Marks CPUs as shared by name.
    pub(crate) fn share_cpus(&mut self, topology: &Topology, cpus: &IdSet) {
        for (core, bit) in cpus.iter().filter_map(|cpu| topology.cpu(cpu)) {
            self.cores[core].named |= bit;
        }
    }
}
