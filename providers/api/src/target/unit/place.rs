//! Where a process on the metal runs, and how much of the host it may use.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::IdSet;

/// Its CPUs and NUMA nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitPlace {
    /// Where its threads may run; absent: anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus: Option<IdSet>,
    /// NUMA nodes its memory comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_nodes: Option<IdSet>,
    /// How it takes memory of nodes; absent: of the nearest that it may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_policy: Option<MemoryPolicy>,
}

/// How the kernel takes memory for it, where it asks for no other way itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemoryPolicy {
    /// `preferred`: of the one node as long as it has any; `interleave`: page by page of each in turn.
    pub mode: String,
    pub nodes: IdSet,
}

/// Limits and weights of its control group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitLimits {
    /// Hard limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// What it is left where memory is short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_low_bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub swap_bytes: Option<u64>,
    /// Tasks, threads among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pids: Option<u64>,
    /// From 1 to 10000; where CPUs are short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_weight: Option<u32>,
    /// From 1 to 10000; where disks are busy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub io_weight: Option<u32>,
}

/// How the kernel's schedulers treat it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scheduling {
    /// `batch`, `idle`, `fifo` or `rr`; absent: `other`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Of `fifo` and `rr`: 1 to 99.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u32>,
    /// -20 to 19.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nice: Option<i32>,
    /// `realtime`, `best-effort` or `idle`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub io_class: Option<String>,
    /// 0 (first) to 7.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub io_priority: Option<u32>,
}
