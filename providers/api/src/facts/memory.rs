//! NUMA nodes, their memory and huge pages.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cpuset::IdSet;

/// A NUMA node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Node {
    /// The kernel's number of the node.
    pub id: u32,
    /// What it consists of.
    pub kind: NodeKind,
    /// Its online CPUs.
    pub cpus: IdSet,
    /// Its memory in bytes, huge pages included.
    #[serde(default)]
    pub memory_bytes: Option<u64>,
    /// Memory nobody used when this was read, in bytes; free huge pages are not part of it.
    #[serde(default)]
    pub free_bytes: Option<u64>,
    /// Memory in use that the kernel gives back when it is needed, in bytes: cached files and
    /// reclaimable slabs.
    #[serde(default)]
    pub reclaimable_bytes: Option<u64>,
    /// What its memory is made of. Null is not known, as of the main memory of most machines.
    #[serde(default)]
    pub memory_kind: Option<MemoryKind>,
    /// The kernel's tier of its memory: the lower, the faster. Null where the kernel has none.
    #[serde(default)]
    pub memory_tier: Option<u32>,
    /// Nodes whose CPUs reach its memory fastest, as the firmware tells. Null where it does not.
    #[serde(default)]
    pub initiators: Option<IdSet>,
    /// How fast these read its memory, in MB/s.
    #[serde(default)]
    pub read_bandwidth_mb_s: Option<u64>,
    /// How long a read from there takes, in nanoseconds.
    #[serde(default)]
    pub read_latency_ns: Option<u64>,
    /// Relative cost of reaching the memory of each node from here, by node: 10 is local, 20
    /// twice as far. Not always symmetric. Empty where the machine does not tell.
    #[serde(default)]
    pub distances: BTreeMap<u32, u32>,
    /// Its huge-page pools, smallest pages first.
    #[serde(default)]
    pub hugepages: Vec<HugePages>,
}

/// What a NUMA node consists of.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// CPUs, and memory (or memory of unknown size).
    #[default]
    Normal,
    /// Memory without CPUs: a slower or faster tier, or a node whose CPUs are all offline.
    MemoryOnly,
    /// CPUs without memory.
    CpuOnly,
    /// Memory of a device such as a GPU. Nothing of the host's own may be placed there.
    Device,
    /// Neither CPUs nor memory at present.
    Empty,
}

/// What the memory of a node is made of.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum MemoryKind {
    /// The machine's main memory.
    Dram,
    /// High-bandwidth memory beside the main one.
    Hbm,
    /// Persistent memory (NVDIMM) used as ordinary memory.
    Persistent,
    /// Memory behind a CXL link.
    Cxl,
    /// Memory the firmware set apart for a special purpose; which is not told.
    SpecialPurpose,
    /// Memory of another tier than the nodes with CPUs have; why is not told.
    OtherTier,
}

/// A pool of huge pages of one size, of a node or of the whole host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HugePages {
    /// Size of a page, in bytes.
    pub size_bytes: u64,
    /// Pages in the pool, used or not (`nr_hugepages`).
    #[serde(default)]
    pub total: Option<u64>,
    /// Pages nobody has mapped (`free_hugepages`).
    #[serde(default)]
    pub free: Option<u64>,
    /// Free pages already promised to a mapping (`resv_hugepages`). Always null for a node: the
    /// kernel counts promises for the whole host.
    #[serde(default)]
    pub reserved: Option<u64>,
    /// Pages beyond the pool's configured size, given back once they are free (`surplus_hugepages`).
    #[serde(default)]
    pub surplus: Option<u64>,
}

/// A mounted hugetlbfs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HugetlbfsMount {
    /// Where it is mounted.
    pub path: String,
    /// Size of its pages, in bytes.
    #[serde(default)]
    pub size_bytes: Option<u64>,
}

impl Node {
    /// Memory for ordinary pages, used or not, in bytes: all of it but the huge-page pools. Null
    /// where its size or that of a pool is not known.
    pub fn ordinary_bytes(&self) -> Option<u64> {
        self.hugepages
            .iter()
            .try_fold(self.memory_bytes?, |rest, pool| {
                Some(rest.saturating_sub(pool.total?.saturating_mul(pool.size_bytes)))
            })
    }

    /// Memory that could be had without swapping, in bytes: what is free and what the kernel
    /// gives back. Null where either is not known.
    pub fn available_bytes(&self) -> Option<u64> {
        Some(self.free_bytes?.saturating_add(self.reclaimable_bytes?))
    }

    /// Whether its memory goes only to who names the node: other memory than the main one.
    pub fn only_when_named(&self) -> bool {
        self.kind == NodeKind::Device
            || self
                .memory_kind
                .is_some_and(|kind| kind != MemoryKind::Dram)
    }

    /// Huge pages of a size.
    pub fn pool(&self, size_bytes: u64) -> Option<&HugePages> {
        self.hugepages
            .iter()
            .find(|pool| pool.size_bytes == size_bytes)
    }
}
