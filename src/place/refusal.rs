//! The first constraint that is broken, with its numbers.

use infra_api::{IdSet, Threads};

/// A constraint that is broken: what is needed and what there is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Constraint {
    /// CPUs that were named are not there to be had.
    NamedCpus {
        need: IdSet,
        have: IdSet,
        why: String,
    },
    /// Not enough CPUs that nobody has, on the host or on the node that comes nearest.
    DedicatedCpus {
        need: u32,
        have: u32,
        threads: Threads,
        node: Option<u32>,
    },
    /// No domain of L3 holds all CPUs of a cell.
    OneL3 { need: u32, have: u32, alone: bool },
    /// No CPU is left for workloads that share, on the host or a node.
    SharedCpus {
        need: u32,
        have: u32,
        node: Option<u32>,
    },
    /// More shared CPUs than the host's ratio allows; `have` is what is left of it.
    Overcommit { need: u64, have: u64 },
    /// CPUs for helper threads.
    Helpers { need: u32, have: u32 },
    /// Nodes that were named are not there, or give no memory.
    NamedNodes { need: IdSet, have: IdSet },
    /// Not enough memory, in bytes.
    Memory {
        need: u64,
        have: u64,
        nodes: Option<IdSet>,
    },
    /// Not enough huge pages on any one node.
    HugePages {
        need: u64,
        have: u64,
        page_size_bytes: u64,
        node: Option<u32>,
    },
    /// Not enough nodes that could hold a cell each.
    Cells { need: u32, have: u32 },
    /// Not enough devices, anywhere or as near as asked.
    Devices {
        need: u32,
        have: u32,
        kind: String,
        near: bool,
    },
    /// Each thing is there, and not together.
    Together { why: String },
    /// Somebody is there whom it is to be apart from, in this scope.
    Apart { scope: usize },
    /// It is in no known domain of this scope, which may be that of those it is to be apart from, or not that of those it is
    /// to be with.
    Nowhere { scope: usize },
    /// Those it is to be with are in others of this scope.
    Elsewhere { scope: usize },
    /// The host is to be emptied.
    Drained,
    /// The search ended before it had looked at everything.
    Undecided { steps: u32 },
}

impl Constraint {
    /// How much more is needed than there is, where it tells numbers.
    pub(crate) fn gap(&self) -> u64 {
        match self {
            Self::DedicatedCpus { need, have, .. }
            | Self::OneL3 { need, have, .. }
            | Self::SharedCpus { need, have, .. }
            | Self::Helpers { need, have }
            | Self::Cells { need, have }
            | Self::Devices { need, have, .. } => u64::from(need.saturating_sub(*have)),
            Self::Overcommit { need, have }
            | Self::Memory { need, have, .. }
            | Self::HugePages { need, have, .. } => need.saturating_sub(*have),
            _ => 0,
        }
    }

    /// Whether more is needed than there is, where it tells numbers.
    pub(crate) fn holds(&self) -> bool {
        match self {
            Self::DedicatedCpus { need, have, .. }
            | Self::OneL3 { need, have, .. }
            | Self::SharedCpus { need, have, .. }
            | Self::Helpers { need, have }
            | Self::Cells { need, have }
            | Self::Devices { need, have, .. } => need > have,
            Self::Overcommit { need, have }
            | Self::Memory { need, have, .. }
            | Self::HugePages { need, have, .. } => need > have,
            Self::NamedNodes { need, have } => !need.is_subset(have),
            _ => true,
        }
    }
}
