//! CPUs: which there are and how they hang together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cpuset::IdSet;

/// Which CPUs there are and how they hang together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cpus {
    /// CPUs the kernel schedules on.
    pub online: IdSet,
    /// CPUs that are present and not online.
    #[serde(default)]
    pub offline: Option<IdSet>,
    /// CPUs that could ever appear, empty sockets included.
    #[serde(default)]
    pub possible: Option<IdSet>,
    /// CPUs that are plugged in, online or not.
    #[serde(default)]
    pub present: Option<IdSet>,
    /// CPUs kept out of load balancing (`isolcpus=` or an isolated cpuset partition). Nothing runs
    /// there that was not put there.
    #[serde(default)]
    pub isolated: Option<IdSet>,
    /// CPUs without a periodic tick while one task runs there (`nohz_full=`).
    #[serde(default)]
    pub nohz_full: Option<IdSet>,
    /// Online CPUs that may be used under the cgroup this was read in: all online ones where it
    /// sets no limit. Null is unknown.
    #[serde(default)]
    pub allowed: Option<IdSet>,
    /// CPUs the reading process was bound to. No limit: a task may ask for others. The kernel and
    /// systemd leave isolated CPUs out of it.
    #[serde(default)]
    pub affinity: Option<IdSet>,
    /// What was done about hardware threads, as the kernel has it: `on`, `off`, `forceoff`,
    /// `notsupported` or `notimplemented`; on some machines the number of threads of a core.
    #[serde(default)]
    pub smt_control: Option<String>,
    /// Whether two threads of one core are online anywhere.
    #[serde(default)]
    pub smt_active: Option<bool>,
    /// One record for each online CPU, in the order of their ids.
    #[serde(default)]
    pub list: Vec<Cpu>,
}

/// One online CPU (hardware thread).
///
/// `core`, `cluster`, `die`, `package`, `book`, `drawer` and `l3` are unique in the machine: the
/// kernel's numbers where these are, else counted from 0 in the order of the CPUs (the kernel's core
/// numbers begin again in every package, and some machines give every package the same number or
/// none).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cpu {
    /// The kernel's number of the CPU.
    pub id: u32,
    /// The core it is a thread of.
    #[serde(default)]
    pub core: Option<u32>,
    /// The cluster the core is in: cores of a die that share a cache or a path to it. Null where
    /// the machine has none.
    #[serde(default)]
    pub cluster: Option<u32>,
    /// The die the core is on.
    #[serde(default)]
    pub die: Option<u32>,
    /// The package (socket) the core is in.
    #[serde(default)]
    pub package: Option<u32>,
    /// The book the package is in (s390x).
    #[serde(default)]
    pub book: Option<u32>,
    /// The drawer the book is in (s390x).
    #[serde(default)]
    pub drawer: Option<u32>,
    /// The L3 group it belongs to, see `l3`.
    #[serde(default)]
    pub l3: Option<u32>,
    /// The NUMA node it belongs to, see `nodes`.
    #[serde(default)]
    pub node: Option<u32>,
    /// The online CPUs of its core, itself included. Itself alone where `core` is null.
    pub siblings: IdSet,
    /// The highest frequency it reaches, in kHz.
    #[serde(default)]
    pub max_frequency_khz: Option<u64>,
    /// How much it computes beside the largest CPU of the machine, which has 1024 (arm64).
    #[serde(default)]
    pub capacity: Option<u32>,
    /// Which kind of core it is on a hybrid processor, told by its performance monitors (Intel) or
    /// by the capacities (arm64). Null on others.
    #[serde(default)]
    pub kind: Option<CpuKind>,
}

/// A kind of core of a hybrid processor.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CpuKind {
    /// Built for speed (Intel's `cpu_core`; arm64's of more than the smallest capacity).
    Performance,
    /// Built for little power (Intel's `cpu_atom`; arm64's of the smallest capacity).
    Efficiency,
}

/// CPUs that share an L3 cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct L3 {
    /// Its number, unique in the machine.
    pub id: u32,
    /// The online CPUs that share it.
    pub cpus: IdSet,
    /// Its size in bytes.
    #[serde(default)]
    pub size_bytes: Option<u64>,
}
