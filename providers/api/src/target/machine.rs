//! A virtual machine, with its disks and NICs.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Driver, Format, GuestReady, Hardware, Ignition, MachineNetwork, VolumeRef, XmlPatch};
use crate::{IdSet, Text};

/// A virtual machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    pub name: String,
    pub uuid: String,
    /// `running`; as observed also `shutoff`, `paused`, `crashed`, …
    pub state: String,
    /// As observed, where its next start makes another of it than what runs: a digest of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_start: Option<String>,
    pub acceleration: Acceleration,
    /// How many vCPUs there can be; so many are there unless `online_vcpus` says fewer.
    pub vcpus: u32,
    /// How many of them are plugged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub online_vcpus: Option<u32>,
    /// vCPU → pCPUs its thread may run on. All that are plugged in, or none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub vcpu_pins: BTreeMap<u32, IdSet>,
    /// pCPUs of the emulator's own threads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emulator_pin: Option<IdSet>,
    /// How many threads serve disks beside the emulator's own; they are numbered from 1.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub iothreads: u32,
    /// I/O thread → pCPUs it may run on.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub iothread_pins: BTreeMap<u32, IdSet>,
    /// How much memory there can be; all of it is the guest's unless `balloon_bytes` says less.
    pub memory_bytes: u64,
    /// What the balloon leaves to the guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balloon_bytes: Option<u64>,
    /// NUMA nodes its memory comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_nodes: Option<IdSet>,
    /// How it is bound to them: `preferred`, `interleave` or `restrictive`; absent: strictly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mode: Option<String>,
    /// Huge pages of this size back its memory; absent: ordinary pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_size_bytes: Option<u64>,
    /// NUMA nodes the guest sees: all its vCPUs and memory, each of the host's nodes and pages of its own; then
    /// `page_size_bytes` says nothing. Empty: it sees one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cells: Vec<GuestCell>,
    pub boot: Boot,
    /// What the firmware tries, in this order: `disk`, `cdrom`, `network`; empty: the first disk.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub boot_order: Vec<String>,
    /// In the order the guest sees them: vda, vdb, …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disks: Vec<MachineDisk>,
    /// The NoCloud seed: a read-only disk after the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<VolumeRef>,
    /// Tells one content of the seed from another: the guest reads it when it starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed_digest: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignition: Option<Ignition>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interfaces: Vec<MachineInterface>,
    /// The serial console is also written to this file of the daemon's host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub console_log: Option<String>,
    /// Started when the host starts.
    pub autostart: bool,
    /// What tells that its guest is up; absent: it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready: Option<GuestReady>,
    /// So long it may take to shut down before its power is taken; absent: as long as the daemon lets every machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_timeout_s: Option<u32>,
    /// What its description says beside all this, in the order in which it is done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<XmlPatch>,
    /// Everything else it is built of.
    #[serde(default, skip_serializing_if = "Hardware::is_plain")]
    pub hardware: Hardware,
}

/// A NUMA node as the guest sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GuestCell {
    pub vcpus: IdSet,
    pub memory_bytes: u64,
    /// Nodes of the host its memory comes from, bound to them as the machine's is; absent: as the machine's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<IdSet>,
    /// Huge pages of this size back it; absent: ordinary pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_size_bytes: Option<u64>,
    /// How far its memory is from each cell, in their order, 10 being its own; empty: 20 from each other one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub distances: Vec<u32>,
}

impl Machine {
    /// Huge pages: the host's nodes they are of where these are bound, their size, and the bytes in them.
    #[must_use]
    pub fn huge_pages<'a>(&'a self) -> Vec<(Option<&'a IdSet>, u64, u64)> {
        let all = self.memory_nodes.as_ref();
        let whole = self
            .page_size_bytes
            .map(|size| (all, size, self.memory_bytes));
        let part = |cell: &'a GuestCell| {
            let nodes = cell.nodes.as_ref().or(all);
            Some((nodes, cell.page_size_bytes?, cell.memory_bytes))
        };
        let parts = self.cells.iter().filter_map(part);
        whole.into_iter().chain(parts).collect()
    }

    /// Whether some of its memory is in huge pages.
    #[must_use]
    pub fn has_huge_pages(&self) -> bool {
        !self.huge_pages().is_empty()
    }
}

/// How instructions are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Acceleration {
    /// By the hardware; the guest sees the host's CPU.
    Kvm,
    /// By QEMU in software.
    Emulated,
}

/// What is started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "type", deny_unknown_fields)]
pub enum Boot {
    /// A disk, or what `boot_order` says.
    Disk,
    /// A kernel, without a boot loader.
    Kernel {
        kernel: VolumeRef,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        initramfs: Option<VolumeRef>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cmdline: Option<Text>,
    },
}

/// A disk or CD-ROM drive of a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MachineDisk {
    /// What is in it. With neither a volume nor a path it is an empty drive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<VolumeRef>,
    /// A file or, below `/dev/`, a block device of the host that infra does not make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Instead: what a server elsewhere has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<RemoteDisk>,
    pub format: Format,
    pub read_only: bool,
    #[serde(default, skip_serializing_if = "DiskDevice::is_disk")]
    pub device: DiskDevice,
    /// `scsi` or `sata`; absent: virtio, and a CD-ROM's SATA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bus: Option<String>,
    /// QEMU's cache mode; absent: its default, write-back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<String>,
    /// `native`, `threads` or `io_uring`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub io: Option<String>,
    /// `ignore`: what the guest discards stays allocated. Absent: it is given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discard: Option<String>,
    /// What the guest knows it by: `/dev/disk/by-id/virtio-SERIAL`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queues: Option<u32>,
    /// The I/O thread that serves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iothread: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttle: Option<Throttle>,
    /// Its turn among what the firmware tries, from 1; then [`Machine::boot_order`] is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<u32>,
}

impl MachineDisk {
    /// A virtio disk with nothing special about it.
    #[must_use]
    pub fn new(volume: VolumeRef, format: Format, read_only: bool) -> Self {
        Self {
            volume: Some(volume),
            path: None,
            remote: None,
            format,
            read_only,
            device: DiskDevice::Disk,
            bus: None,
            cache: None,
            io: None,
            discard: None,
            serial: None,
            queues: None,
            iothread: None,
            throttle: None,
            boot: None,
        }
    }

    /// A CD-ROM drive with nothing in it.
    #[must_use]
    pub fn drive() -> Self {
        Self {
            volume: None,
            path: None,
            remote: None,
            format: Format::Raw,
            read_only: false,
            device: DiskDevice::Cdrom,
            bus: None,
            cache: None,
            io: None,
            discard: None,
            serial: None,
            queues: None,
            iothread: None,
            throttle: None,
            boot: None,
        }
    }

    /// The bus it is on, as libvirt calls it.
    #[must_use]
    pub fn bus(&self) -> &str {
        match (&self.bus, self.device) {
            (Some(bus), _) => bus,
            (None, DiskDevice::Disk) => "virtio",
            (None, DiskDevice::Cdrom) => "sata",
        }
    }
}

/// A disk that QEMU has from a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoteDisk {
    /// `nbd`, `rbd`, `iscsi`, `http` or `https`.
    pub protocol: String,
    /// The export, `POOL/IMAGE`, `IQN/LUN` or path.
    pub name: String,
    /// At least one; several monitors of a Ceph cluster.
    pub servers: Vec<DiskServer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<DiskLogin>,
}

/// Where a disk is had from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiskServer {
    pub host: String,
    pub port: u16,
}

/// Who the server takes QEMU for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiskLogin {
    pub user: String,
    /// UUID of a secret that libvirt keeps.
    pub secret: String,
}

/// What the guest takes a disk for.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum DiskDevice {
    #[default]
    Disk,
    /// A drive whose medium can be changed while the machine runs.
    Cdrom,
}

impl DiskDevice {
    fn is_disk(&self) -> bool {
        *self == Self::Disk
    }
}

/// The most a disk may do in a second; absent: no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Throttle {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iops: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_iops: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write_iops: Option<u64>,
}

/// A NIC of a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MachineInterface {
    /// Lower-case, colons.
    pub mac: String,
    /// [`super::MachineNetwork::name`].
    pub network: String,
    /// The Linux bridge that the network puts it on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bridge: Option<String>,
    /// Or the device of the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<Driver>,
    /// The PCI address of a virtual function whose card is in that network: the guest has it in place of a card of QEMU's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// A socket of the host by which a switch in user space has it (vhost-user); QEMU waits for the switch there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vhost_user: Option<String>,
    /// The VLAN whose packets alone it carries, untagged for the guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vlan: Option<u16>,
    /// The address the guest is told to take (by its seed or kernel command line); absent in a network without a subnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Ipv4Addr>,
    /// The card the guest sees; absent: virtio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queues: Option<u32>,
    /// So many packets wait in each queue to the guest and from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_size: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    /// True: the guest sees no cable.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unplugged: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bandwidth: Option<Bandwidth>,
    /// Its turn among what the firmware tries, from 1; then [`Machine::boot_order`] is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<u32>,
}

impl MachineInterface {
    /// A virtio NIC with nothing special about it.
    #[must_use]
    pub fn new(mac: String, network: &MachineNetwork, address: Option<Ipv4Addr>) -> Self {
        Self {
            mac,
            network: network.name.clone(),
            bridge: network.bridge.clone(),
            driver: network.driver.clone(),
            function: None,
            vhost_user: None,
            vlan: None,
            address,
            model: None,
            queues: None,
            queue_size: None,
            mtu: None,
            unplugged: false,
            bandwidth: None,
            boot: None,
        }
    }
}

/// The most a NIC may carry, as the guest sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bandwidth {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbound: Option<Rate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outbound: Option<Rate>,
}

/// A rate in bytes a second, in whole thousands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    pub average_bytes: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_bytes: Option<u64>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}
