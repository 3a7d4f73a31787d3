//! The kernel that runs, its control groups, and the switches it was left with.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kernel that runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Kernel {
    /// Its release, as `uname -r` prints it.
    #[serde(default)]
    pub release: Option<String>,
    /// The machine's architecture, as `uname -m` prints it.
    #[serde(default)]
    pub arch: Option<String>,
    /// The command line it was booted with, unchanged.
    #[serde(default)]
    pub cmdline: Option<String>,
    /// Those parameters of the command line that concern CPUs, memory, huge pages, interrupts and
    /// the IOMMU, in their order. One may stand there more than once.
    #[serde(default)]
    pub parameters: Vec<KernelParameter>,
}

/// One parameter of the kernel's command line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KernelParameter {
    /// Its name, such as `isolcpus`.
    pub name: String,
    /// What follows the equals sign. Null where there is none.
    #[serde(default)]
    pub value: Option<String>,
}

/// The control groups of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cgroup {
    /// Which hierarchy is at work.
    pub version: CgroupVersion,
    /// The group this was read in, seen from its own root: `/` in a container or at the top.
    #[serde(default)]
    pub path: Option<String>,
    /// Controllers that can be used, by name.
    #[serde(default)]
    pub controllers: Vec<String>,
}

/// A kind of control-group hierarchy.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CgroupVersion {
    /// One hierarchy for each controller.
    V1,
    /// The unified hierarchy.
    V2,
    /// Controllers on version 1, processes tracked on version 2.
    Hybrid,
}

impl fmt::Display for CgroupVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            CgroupVersion::V1 => "v1",
            CgroupVersion::V2 => "v2",
            CgroupVersion::Hybrid => "hybrid",
        })
    }
}

/// Transparent huge pages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Thp {
    /// Who gets them: `always`, `madvise` or `never`.
    #[serde(default)]
    pub enabled: Option<String>,
    /// How hard the kernel tries when it has none free: `always`, `defer`, `defer+madvise`,
    /// `madvise` or `never`.
    #[serde(default)]
    pub defrag: Option<String>,
}

/// Kernel same-page merging.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ksm {
    /// 0 stopped, 1 running, 2 stopped and unmerged.
    #[serde(default)]
    pub run: Option<u32>,
    /// Whether pages of different NUMA nodes are merged.
    #[serde(default)]
    pub merge_across_nodes: Option<bool>,
}
