//! What a virtual machine is built of beside CPUs, memory, disks and NICs. What is absent is not there, or is
//! infra's own default: a q35 with the host's CPU, a BIOS, a clock on UTC, no screen and no sound.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A machine's board and devices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hardware {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The emulator's board: a family (`pc`) or one version of it (`pc-q35-7.2`); absent: the newest q35.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Cpu>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topology: Option<Topology>,
    /// UEFI; absent: a BIOS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<Firmware>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tpm: Option<Tpm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Clock>,
    /// What lets a Windows guest know that it is virtual.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hyperv: bool,
    /// The guest is told that each vCPU has a CPU to itself: its locks spin and it polls before it sleeps, since nobody else
    /// would run meanwhile.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dedicated_hint: bool,
    /// The guest has no performance counters.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_pmu: bool,
    /// The threads of its vCPUs are of the real-time class FIFO, with this priority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realtime: Option<u32>,
    /// What becomes of it when the guest powers off; absent: `destroy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_poweroff: Option<String>,
    /// When it reboots; absent: `restart`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_reboot: Option<String>,
    /// When it crashes; absent: `destroy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_crash: Option<String>,
    /// Its memory never leaves the host's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub locked_memory: bool,
    /// Its memory may be mapped by other processes of the host.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared_memory: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graphics: Option<Graphics>,
    /// The model of its graphics card; absent: it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watchdog: Option<Watchdog>,
    /// Its number among the host's guests, for sockets between them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vsock_cid: Option<u32>,
    /// A device by which the guest tells that its kernel has panicked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub panic: bool,
    /// It has no random numbers of the host's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_rng: bool,
    /// It gives no memory back, and says nothing of what it uses.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_balloon: bool,
    /// Serial ports beside the console's, from the second on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub serial_ports: Vec<SerialPort>,
    /// The channel of QEMU's guest agent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub agent: bool,
    /// By the tag the guest mounts them by.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub filesystems: BTreeMap<String, Filesystem>,
    /// Devices of the host it is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host_devices: Vec<HostDevice>,
}

impl Hardware {
    /// Nothing but infra's defaults.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// The CPU the guest sees; absent: the host's own, or with emulation all that QEMU can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cpu {
    /// `host-passthrough`, `host-model`, `maximum` or `custom`.
    pub mode: String,
    /// Of `custom`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Feature → `force`, `require`, `optional`, `disable` or `forbid`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub features: BTreeMap<String, String>,
    /// Whether libvirt looks if the host has all of it: `none` or `partial`; absent: [`Self::usual_check`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
}

impl Cpu {
    /// A model is worth its name only where libvirt sees that the guest has all of it.
    #[must_use]
    pub fn usual_check(mode: &str) -> &'static str {
        match mode {
            "host-passthrough" | "maximum" => "none",
            _ => "partial",
        }
    }
}

/// How vCPUs hang together, as the guest sees it. They multiply to the number of vCPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Topology {
    pub sockets: u32,
    pub cores: u32,
    pub threads: u32,
}

/// UEFI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Firmware {
    /// Boots only what is signed.
    pub secure_boot: bool,
}

/// An emulated TPM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tpm {
    /// `2.0` or `1.2`.
    pub version: String,
    /// `tpm-crb` or `tpm-tis`.
    pub model: String,
}

/// The clock and what ticks beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// `utc` or `localtime`.
    pub offset: String,
    /// By name. They stand beside infra's own (`rtc`, `pit`, `hpet`), or in their place.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub timers: BTreeMap<String, Timer>,
}

/// A timer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Timer {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub present: Option<bool>,
    /// What becomes of missed ticks: `delay`, `catchup`, `merge` or `discard`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tick_policy: Option<String>,
}

/// A screen, on the host's loopback address alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Graphics {
    /// `vnc` or `spice`.
    pub protocol: String,
    /// Absent: the first that is free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}

/// A device that acts when the guest no longer resets it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Watchdog {
    /// `reset`, `shutdown`, `poweroff`, `pause`, `none`, `dump` or `inject-nmi`.
    pub action: String,
}

/// A directory of the host that the guest mounts (virtiofs).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Filesystem {
    pub source: String,
}

/// A device of the host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "type", deny_unknown_fields)]
pub enum HostDevice {
    /// By its address, as in `0000:3b:02.1`.
    Pci { address: String },
    /// By what it says it is: four hexadecimal digits each.
    Usb { vendor: String, product: String },
}

/// What is at the other end of a serial port, on the daemon's host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "type", deny_unknown_fields)]
pub enum SerialPort {
    /// A terminal that `virsh console` opens.
    Pty,
    /// What it says is written here.
    File { path: String },
    /// A socket that QEMU listens on.
    Unix { path: String },
    /// One of the network: whoever connects is taken.
    Tcp { address: String, port: u16 },
}
