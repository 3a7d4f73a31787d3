//! What is wanted on a host, complete and daemon-neutral: no field means "decide later". A provider turns
//! targets into resources; the bodies of resources are these structs, as JSON.
//!
//! Optional fields that are absent mean "the daemon's own default"; a provider reads a default back as absent.

mod container;
mod guest;
mod hardware;
mod kernel;
mod machine;
mod network;
mod patch;
mod software;
mod unit;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::guest::{GuestReady, Ignition, IgnitionVolume};
pub use self::hardware::{
    Clock, Cpu, Filesystem, Firmware, Graphics, Hardware, HostDevice, SerialPort, Timer, Topology,
    Tpm, Watchdog,
};
pub use self::kernel::KernelSetting;
pub use self::machine::{
    Acceleration, Bandwidth, Boot, DiskDevice, DiskLogin, DiskServer, GuestCell, Machine,
    MachineDisk, MachineInterface, Rate, RemoteDisk, Throttle,
};
pub use self::network::{Dns, DnsService, Lease, MachineNetwork, OwnBridge};
pub use self::patch::XmlPatch;
pub use self::software::{Package, UnpackedFiles};
pub use self::unit::{
    HostMount, MemoryPolicy, Scheduling, Slice, Unit, UnitAddress, UnitConfinement, UnitFolder,
    UnitLife, UnitLimits, UnitPlace,
};
use crate::{Address, HostName, ResourceId, Text};

pub use container::*;

/// One thing wanted on one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub host: HostName,
    /// The declaration it comes from; its mark.
    pub address: Address,
    pub what: What,
}

/// The kinds of thing. A provider makes resources of those it knows and ignores the rest.
// They are made once, handed on and taken apart: nobody keeps many.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    ContainerImage(ContainerImage, ImageSource),
    ContainerNetwork(ContainerNetwork),
    ContainerVolume(ContainerVolume),
    Container(Box<Container>),
    /// With what it stands on: the networks of its addresses, and what it runs from.
    Unit(Box<Unit>, Vec<ResourceId>),
    Slice(Slice),
    HostMount(HostMount),
    /// With the archive.
    UnpackedFiles(UnpackedFiles, PathBuf),
    Package(Package),
    KernelSetting(KernelSetting),
    Pool(Pool),
    /// A file of the person's, uploaded: a disk image, a kernel, an initramfs.
    File(FileVolume, PathBuf),
    /// With the person's file that it begins as, where it begins as one.
    Disk(DiskVolume, Option<PathBuf>),
    Seed(SeedVolume),
    Ignition(IgnitionVolume),
    MachineNetwork(MachineNetwork),
    Machine(Box<Machine>),
}

// ── virtual machines ──────────────────────────────────────────────────────────────────────────────

/// A pool of volumes, made by us: a directory, or what is left of an LVM volume group that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    pub name: String,
    /// On the daemon's host.
    pub path: String,
    /// Its volumes are logical volumes of this group; absent: they are files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_group: Option<String>,
}

/// A volume, by the pool's name and its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VolumeRef {
    pub pool: String,
    pub name: String,
}

/// A disk image's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Raw,
    Qcow2,
}

/// An uploaded file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileVolume {
    pub volume: VolumeRef,
    pub format: Format,
    /// SHA-256 of the file, in hexadecimal digits.
    pub sha256: String,
    pub size_bytes: u64,
}

/// A virtual disk that is written to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiskVolume {
    pub volume: VolumeRef,
    pub format: Format,
    /// What the guest sees.
    pub capacity_bytes: u64,
    /// The volume it begins as a copy of, which it needs for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backing: Option<VolumeRef>,
    /// The backing volume's format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backing_format: Option<Format>,
    /// What of its space is taken when it is made.
    #[serde(default, skip_serializing_if = "Allocation::is_sparse")]
    pub allocation: Allocation,
    /// What it begins as a copy of, which it does not need afterwards. Absent: it begins empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_of: Option<Original>,
}

/// How much of a disk's space is taken before anything is written to it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Allocation {
    /// Nothing: it grows with what is written.
    #[default]
    Sparse,
    /// A qcow2's tables, and no room for what they point to.
    Metadata,
    /// All of it.
    Full,
}

impl Allocation {
    fn is_sparse(&self) -> bool {
        *self == Self::Sparse
    }
}

/// What a disk began as a copy of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Original {
    /// A file of the person's, uploaded into the disk.
    File {
        /// In hexadecimal digits.
        sha256: String,
        size_bytes: u64,
    },
    /// Another volume of the same daemon.
    Volume(VolumeRef),
}

/// A NoCloud seed: an ISO 9660 image labelled `cidata`, made by the provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeedVolume {
    pub volume: VolumeRef,
    pub meta_data: Text,
    pub user_data: Text,
    /// What the person's user data is laid over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor_data: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_config: Option<Text>,
}
