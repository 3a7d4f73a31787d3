//! What a workload asks of a host.

use infra_api::{IdSet, L3, Threads};

/// What is asked, in one form: what a workload would take of a host as one runtime.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ask {
    pub cpus: Cpus,
    pub memory: Memory,
    pub numa: Numa,
    /// CPUs for threads beside the vCPUs' (the emulator's, I/O threads), on the node of the first cell, never on a
    /// thread whose core is isolated. Who shares CPUs and is bound to no node has none, nor has who names his CPUs:
    /// they run where the vCPUs do.
    pub helpers: u32,
    pub devices: Vec<Devices>,
    /// Devices of the host that its threads serve and that it does not get, in words that hosts and asks agree on: as
    /// often as there are disks or interfaces on one.
    pub serves: Vec<String>,
}

/// CPUs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Cpus {
    pub count: u32,
    pub policy: Policy,
    /// Exactly these.
    pub set: Option<IdSet>,
    pub l3: L3,
}

/// Whose the CPUs are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Policy {
    Dedicated(Threads),
    Shared,
}

impl Default for Policy {
    fn default() -> Self {
        Self::Dedicated(Threads::default())
    }
}

/// Memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Memory {
    pub bytes: u64,
    /// What running it takes beside, always in ordinary pages.
    pub overhead_bytes: u64,
    /// Sizes of pages in the order of preference, 0 for ordinary ones; empty: ordinary.
    pub page_sizes: Vec<u64>,
    /// Only from these nodes, by their ids.
    pub nodes: Option<IdSet>,
}

/// How it lies to NUMA nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Numa {
    /// On as few nodes as may be, each with its part of CPUs and memory; where none will do, wherever there are CPUs.
    /// Shared CPUs: on one node where huge pages or strict devices bind it to one, else on none.
    #[default]
    Auto,
    /// In so many even cells, each on a node of its own: as even as whole CPUs and whole pages of the largest size (MiB
    /// where they are ordinary) allow, the first ones larger, and the first with what is no whole page.
    Nodes(u32),
    /// In these cells, each on a node of its own.
    Cells(Vec<Cell>),
}

/// What lies on one node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cell {
    pub cpus: u32,
    pub bytes: u64,
    /// Sizes of pages in the order of preference; empty: as the workload's.
    pub page_sizes: Vec<u64>,
}

/// PCI devices of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Devices {
    /// In words that hosts and asks agree on: `8086:1572`.
    pub kind: String,
    pub count: u32,
    pub near: Near,
    /// Whether it must be so near, or only where it may.
    pub strict: bool,
}

/// How near a device is to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Near {
    /// Wherever.
    Host,
    /// In the package of a cell's node.
    Socket,
    /// On a cell's node.
    #[default]
    Node,
    /// Below one bridge with all of this workload that are to be so, on a cell's node.
    Switch,
}
