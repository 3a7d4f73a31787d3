//! Machines: what hwloc's recordings of real ones say of nodes, cores, threads, caches, memory and distances
//! (open-mpi/hwloc, tests/hwloc/linux, commit 3b37b024aa3f). Huge pages, virtual functions and what the host keeps for
//! itself are not in them and are assumed.

use std::collections::BTreeMap;
use std::sync::Arc;

use infra_api::IdSet;
use infra_place::{Core, Device, Node, NodeKind, Room, Stock, Topology};

pub(crate) const GIB: u64 = 1 << 30;
/// Shared CPUs on one that is free.
pub(crate) const RATIO: u64 = 8;
/// Huge pages; others than these are not used here.
pub(crate) const PAGE: u64 = GIB;
/// What devices are asked for as.
pub(crate) const VF: &str = "vf";
/// Of its first node the host keeps for itself, beside its first core.
const KEPT: u64 = 2 * GIB;

/// Which cores of a node share an L3.
#[derive(Clone, Copy)]
enum Cache {
    Node,
    Package,
    /// So many that follow each other.
    Blocks(u32),
    /// Every so many-th.
    Strides(u32),
}

/// A kind of machine.
pub(crate) struct Kind {
    /// The recording.
    tree: &'static str,
    nodes: &'static [u32],
    packages: &'static [u32],
    distances: &'static [&'static [u32]],
    /// Cores of a node, threads of a core.
    cores: u32,
    threads: u32,
    /// CPU ids: the first of each node, from core to core, from thread to thread.
    first: &'static [u32],
    steps: (u32, u32),
    cache: Cache,
    /// Of each node; half of it are huge pages.
    gib: &'static [u64],
    /// On the first node.
    vfs: u32,
}

const EIGHT: &[&[u32]] = &[
    &[10, 16, 16, 22, 16, 22, 16, 22],
    &[16, 10, 22, 16, 22, 16, 22, 16],
    &[16, 22, 10, 16, 16, 22, 16, 22],
    &[22, 16, 16, 10, 22, 16, 22, 16],
    &[16, 22, 16, 22, 10, 16, 16, 22],
    &[22, 16, 22, 16, 16, 10, 22, 16],
    &[16, 22, 16, 22, 16, 22, 10, 16],
    &[22, 16, 22, 16, 22, 16, 16, 10],
];

const SPARSE: &[&[u32]] = &[
    &[10, 16, 16, 22, 16, 22, 16, 22],
    &[16, 10, 22, 16, 16, 22, 22, 16],
    &[16, 22, 10, 16, 16, 16, 16, 16],
    &[22, 16, 16, 10, 16, 16, 22, 22],
    &[16, 16, 16, 16, 10, 16, 16, 22],
    &[22, 22, 16, 16, 16, 10, 22, 16],
    &[16, 22, 16, 22, 16, 22, 10, 16],
    &[22, 16, 16, 22, 22, 16, 16, 10],
];

pub(crate) const KINDS: [Kind; 7] = [
    Kind {
        tree: "memorysidecaches",
        nodes: &[0, 1, 2, 3],
        packages: &[0, 1, 0, 1],
        distances: &[
            &[10, 21, 11, 21],
            &[21, 10, 21, 11],
            &[11, 21, 10, 21],
            &[21, 11, 21, 10],
        ],
        cores: 10,
        threads: 2,
        first: &[0, 1, 2, 3],
        steps: (4, 40),
        cache: Cache::Package,
        gib: &[370, 372, 372, 372],
        vfs: 16,
    },
    Kind {
        tree: "128arm-2pa2n8cluster4co",
        nodes: &[0, 1, 2, 3],
        packages: &[0, 0, 1, 1],
        distances: &[
            &[10, 16, 32, 33],
            &[16, 10, 25, 32],
            &[32, 25, 10, 16],
            &[33, 32, 16, 10],
        ],
        cores: 32,
        threads: 1,
        first: &[0, 32, 64, 96],
        steps: (1, 0),
        cache: Cache::Node,
        gib: &[125, 126, 126, 124],
        vfs: 32,
    },
    Kind {
        tree: "96em64t-4no4pa3ca2co",
        nodes: &[0, 1, 2, 3],
        packages: &[0, 1, 2, 3],
        distances: &[
            &[10, 26, 26, 26],
            &[26, 10, 26, 26],
            &[26, 26, 10, 26],
            &[26, 26, 26, 10],
        ],
        cores: 24,
        threads: 1,
        first: &[0, 24, 48, 72],
        steps: (1, 0),
        cache: Cache::Strides(4),
        gib: &[125, 126, 126, 126],
        vfs: 16,
    },
    Kind {
        tree: "40intel64-2g2n4c+pcilocality",
        nodes: &[0, 1, 2, 3],
        packages: &[0, 1, 2, 3],
        distances: &[
            &[10, 20, 20, 20],
            &[20, 10, 20, 20],
            &[20, 20, 10, 20],
            &[20, 20, 20, 10],
        ],
        cores: 10,
        threads: 1,
        first: &[0, 1, 2, 3],
        steps: (4, 0),
        cache: Cache::Node,
        gib: &[127, 128, 128, 128],
        vfs: 8,
    },
    Kind {
        tree: "48amd64-4pa2n6c-sparse",
        nodes: &[0, 1, 2, 33, 34, 45, 72, 73],
        packages: &[0, 0, 1, 1, 2, 2, 3, 3],
        distances: SPARSE,
        cores: 6,
        threads: 1,
        first: &[0, 6, 12, 18, 24, 30, 36, 42],
        steps: (1, 0),
        cache: Cache::Node,
        gib: &[8, 16, 8, 16, 8, 16, 8, 16],
        vfs: 0,
    },
    Kind {
        tree: "32amd64-4s2n4c-cgroup2",
        nodes: &[0, 1, 2, 3, 4, 5, 6, 7],
        packages: &[0, 0, 1, 1, 2, 2, 3, 3],
        distances: EIGHT,
        cores: 4,
        threads: 1,
        first: &[0, 4, 8, 12, 16, 20, 24, 28],
        steps: (1, 0),
        cache: Cache::Node,
        gib: &[15, 16, 16, 16, 16, 16, 16, 16],
        vfs: 0,
    },
    Kind {
        tree: "nvidiagpunumanodes",
        nodes: &[0, 8],
        packages: &[0, 8],
        distances: &[&[10, 40], &[40, 10]],
        cores: 4,
        threads: 4,
        first: &[0, 88],
        steps: (4, 1),
        cache: Cache::Blocks(2),
        gib: &[123, 127],
        vfs: 0,
    },
];

/// A machine by positions: what every part of the benchmark reads of it.
pub(crate) struct Machine {
    /// The recording it is like.
    pub(crate) tree: &'static str,
    pub(crate) nodes: Vec<Node>,
    /// In the order of nodes, then cores.
    pub(crate) cores: Vec<Core>,
    /// Bytes that are ordinary, huge pages, and positions of virtual functions, by node.
    pub(crate) bytes: Vec<u64>,
    pub(crate) pages: Vec<u64>,
    pub(crate) vfs: Vec<Vec<usize>>,
    /// CPU → core and bit.
    pub(crate) cpus: BTreeMap<u32, (usize, u64)>,
    /// The core the host keeps for itself.
    pub(crate) kept: usize,
    pub(crate) topology: Arc<Topology>,
    /// The same, as the search takes it.
    pub(crate) room: Room,
}

impl Kind {
    fn cores(&self) -> Vec<Core> {
        let l3 = |node: usize, core: u32| {
            let of_node = |count: u32, which: u32| node * count as usize + which as usize;
            match self.cache {
                Cache::Node => node,
                Cache::Package => self.packages[node] as usize,
                Cache::Blocks(size) => of_node(self.cores / size, core / size),
                Cache::Strides(count) => of_node(count, core % count),
            }
        };
        let (by_core, by_thread) = self.steps;
        let core = |node: usize, core: u32| Core {
            node,
            l3: Some(l3(node, core)),
            threads: (0..self.threads)
                .map(|t| self.first[node] + core * by_core + t * by_thread)
                .collect(),
        };
        let nodes = 0..self.nodes.len();
        nodes
            .flat_map(|n| (0..self.cores).map(move |c| (n, c)))
            .map(|(n, c)| core(n, c))
            .collect()
    }

    pub(crate) fn machine(&self) -> Machine {
        let cores = self.cores();
        let nodes: Vec<Node> = (self.nodes.iter().zip(self.packages).zip(self.distances))
            .map(|((id, package), distances)| Node {
                id: *id,
                kind: NodeKind::Whole,
                distances: distances.to_vec(),
                package: Some(*package),
            })
            .collect();
        let pages: Vec<u64> = self.gib.iter().map(|gib| gib / 2).collect();
        let bytes = |(node, gib): (usize, &u64)| {
            (gib - pages[node]) * GIB - if node == 0 { KEPT } else { 0 }
        };
        let bytes: Vec<u64> = self.gib.iter().enumerate().map(bytes).collect();
        let devices: Vec<Device> = (0..self.vfs).map(device).collect();
        let mut vfs = vec![Vec::new(); nodes.len()];
        vfs[0] = (0..devices.len()).collect();
        let cpus = (cores.iter().enumerate())
            .flat_map(|(at, core)| {
                let bits = core.threads.iter().enumerate();
                bits.map(move |(bit, cpu)| (*cpu, (at, 1 << bit)))
            })
            .collect();
        let topology = Topology::new(nodes.clone(), cores.clone(), devices.clone(), vec![PAGE]);
        let kept: IdSet = cores[0].threads.iter().copied().collect();
        let all: IdSet = cores.iter().flat_map(|c| c.threads.clone()).collect();
        let ids = || self.nodes.iter().copied();
        let stock = Stock {
            cpus: &all - &kept,
            bound: IdSet::new(),
            bytes: Some(bytes.iter().sum()),
            node_bytes: ids().zip(bytes.iter().copied()).collect(),
            pages: ids()
                .map(|id| (id, PAGE))
                .zip(pages.iter().copied())
                .collect(),
            devices: devices.into_iter().map(|d| d.address).collect(),
            cpu_ratio: u32::try_from(RATIO * 1000).ok(),
            memory_percent: None,
        };
        Machine {
            tree: self.tree,
            room: Room::new(&topology, &stock),
            topology: Arc::new(topology),
            nodes,
            cores,
            bytes,
            pages,
            vfs,
            cpus,
            kept: 0,
        }
    }
}

pub(crate) fn address(vf: u32) -> String {
    format!("0000:3b:{:02x}.{}", vf / 8, vf % 8)
}

fn device(vf: u32) -> Device {
    Device {
        address: address(vf),
        kinds: vec![VF.to_owned()],
        node: Some(0),
        bridges: vec![1],
        group: Some(vf),
    }
}

impl Machine {
    pub(crate) fn node(&self, id: u32) -> Option<usize> {
        self.nodes.iter().position(|node| node.id == id)
    }

    /// Positions of the cores of a node.
    pub(crate) fn cores_of(&self, node: usize) -> impl Iterator<Item = usize> {
        (0..self.cores.len()).filter(move |core| self.cores[*core].node == node)
    }

    /// CPUs that workloads may have.
    pub(crate) fn usable(&self) -> u64 {
        (self.cpus.len() - self.cores[self.kept].threads.len()) as u64
    }
}
