//! Where a workload runs: the host, and exactly which CPUs, nodes, pages and devices of it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{HostName, IdSet, Needs, Settings, Variant};

/// What a workload runs as.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Runtime {
    /// A systemd unit.
    BareMetal,
    /// A container on a Docker Engine.
    Container,
    /// A virtual machine on libvirt.
    Kvm,
}

impl Runtime {
    pub const ALL: [Self; 3] = [Self::BareMetal, Self::Container, Self::Kvm];

    /// The word in the configuration and in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::BareMetal => "bare_metal",
            Self::Container => "container",
            Self::Kvm => "kvm",
        }
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BareMetal => "bare metal",
            Self::Container => "container",
            Self::Kvm => "KVM",
        })
    }
}

/// Whether CPUs are a workload's own.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum CpuPolicy {
    /// Nobody else's threads run there.
    Dedicated,
    /// From the CPUs that nobody has to himself.
    #[default]
    Shared,
}

/// How dedicated CPUs lie on cores with several threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Threads {
    /// Whichever; cores that are broken already first.
    #[default]
    Any,
    /// Whole cores where there are.
    Prefer,
    /// Whole cores.
    Require,
    /// One thread of a core; the others stay idle.
    Isolate,
}

impl Threads {
    /// For messages: what it adds to "dedicated CPUs".
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Any | Self::Prefer => "",
            Self::Require => " in whole cores",
            Self::Isolate => ", each on a core of its own,",
        }
    }
}

/// How the dedicated CPUs on a node lie to L3 caches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum L3 {
    Any,
    /// Of as few as may be.
    #[default]
    Prefer,
    /// Of one; where memory is elsewhere, one for all CPUs.
    Require,
    /// Of one that nobody else gets a CPU of, on any node it reaches into.
    Alone,
}

impl L3 {
    /// Whether one cache is to hold all.
    #[must_use]
    pub fn undivided(self) -> bool {
        matches!(self, Self::Require | Self::Alone)
    }
}

/// A workload's exact place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Placement {
    pub runtime: Runtime,
    /// The settings it has by its needs, declared and added.
    #[serde(default, skip_serializing_if = "Settings::is_default")]
    pub with: Settings,
    /// What it was chosen by.
    #[serde(default, skip_serializing_if = "Needs::is_none")]
    pub needs: Needs,
    pub host: HostName,
    pub policy: CpuPolicy,
    /// One for each NUMA node it uses; one without a node where it is bound to none.
    pub cells: Vec<Cell>,
    /// Threads beside the vCPUs': `emulator`, …
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub helpers: BTreeMap<String, IdSet>,
    /// PCI addresses given to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<String>,
    /// Planned address of each interface, by the interface's label.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub addresses: BTreeMap<String, Ipv4Addr>,
    /// What the choice of this place cost, tier by tier; lower is better, the first that differs decides.
    pub tiers: Vec<Tier>,
}

impl Placement {
    /// As what it runs, with what.
    #[must_use]
    pub fn variant(&self) -> Variant {
        Variant {
            runtime: self.runtime,
            with: self.with,
        }
    }

    /// All CPUs its vCPUs (or threads) may run on; empty where it is bound to none.
    #[must_use]
    pub fn cpus(&self) -> IdSet {
        self.cells
            .iter()
            .fold(IdSet::default(), |all, cell| &all | &cell.cpus)
    }

    /// NUMA nodes its memory is bound to; empty where it is bound to none.
    #[must_use]
    pub fn nodes(&self) -> IdSet {
        self.cells.iter().filter_map(|cell| cell.node).collect()
    }

    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.cells.iter().map(|cell| cell.memory_bytes).sum()
    }
}

/// A workload's part on one NUMA node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// The host's NUMA node its memory is bound to.
    pub node: Option<u32>,
    /// The CPUs its vCPUs (or threads) may run on; empty: any.
    pub cpus: IdSet,
    pub vcpus: Vec<Vcpu>,
    pub memory_bytes: u64,
    /// Huge pages of this size back the memory; null: ordinary pages.
    pub page_size_bytes: Option<u64>,
}

/// A virtual CPU, or the n-th CPU a container or unit may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vcpu {
    pub id: u32,
    /// The one pCPU it has to itself; null where it shares the cell's CPUs.
    pub cpu: Option<u32>,
}

/// One criterion of placement and what it came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    pub name: String,
    pub cost: u64,
}
