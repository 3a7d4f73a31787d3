//! Block devices of the host: where they lie.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A disk, a partition of one, or what is made of some (device mapper, RAID).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BlockDevice {
    /// The kernel's name for it: `nvme0n1`, `sda2`, `dm-3`.
    pub name: String,
    /// Where else below `/dev` it is found: `/dev/mapper/vg-data`, `/dev/vg/data`, `/dev/disk/by-id/…`, in order.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Address of the PCI device that it hangs on; of what is made of several disks, where all hang on one. Null
    /// where it hangs on none, or that is unknown.
    #[serde(default)]
    pub pci: Option<String>,
    /// The NUMA node of that device; of what is made of several disks, where all are of one. Null is unknown.
    #[serde(default)]
    pub numa_node: Option<u32>,
}
