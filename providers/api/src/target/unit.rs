//! What is wanted of a host's service manager: a process on the metal. What systemd fills in by itself is absent here.

mod around;
mod confinement;
mod place;

use std::collections::BTreeMap;

use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::container::{Ulimit, UploadedFile, is_default, is_false};
use crate::Text;

pub use around::{HostMount, Slice};
pub use confinement::UnitConfinement;
pub use place::{MemoryPolicy, Scheduling, UnitLimits, UnitPlace};

/// A process under systemd.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// Without `.service`.
    pub name: String,
    /// `running`; of a task `started` or, where it has times, `waiting`. As observed also `stopped`, `failed`, `starting`,
    /// `not enabled`.
    pub state: String,
    /// The program, by its path, and its arguments.
    pub exec: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, Text>,
    /// Absent: root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Absent: the user's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// The unpacked files that it runs from, by their name: what its folder's link `current` leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
    /// The packages that it runs from, by name, with their versions: it is started anew where one has another.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub packages: BTreeMap<String, String>,
    /// Made before it starts and removed with it; by their paths on the host.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, UploadedFile>,
    /// Folders of the host that are its data, by the paths at which it finds them. Made for it, and left when it goes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub folders: BTreeMap<String, UnitFolder>,
    /// File systems that are mounted on the host before it starts: paths, and the names of their mounts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mounts: BTreeMap<String, String>,
    /// The slice that it is in, without `.slice`; absent: `infra.slice`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<String>,
    /// The host has them while it runs; by the interface's label.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub addresses: BTreeMap<String, UnitAddress>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub life: UnitLife,
    /// By name: `nofile`, `memlock`, …
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ulimits: BTreeMap<String, Ulimit>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub confinement: UnitConfinement,
    /// Always written, even empty: each is a change of its own, and some change in place.
    #[serde(default)]
    pub place: UnitPlace,
    #[serde(default)]
    pub limits: UnitLimits,
    #[serde(default, skip_serializing_if = "is_default")]
    pub scheduling: Scheduling,
    /// Never wanted: what somebody has laid over it, by section and directive.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub others: BTreeMap<String, String>,
}

impl Unit {
    /// What leads to the files that a unit of that name runs from.
    #[must_use]
    pub fn current_path(name: &str) -> String {
        format!("/var/lib/infra/units/{name}/current")
    }
}

/// A folder of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitFolder {
    pub path: String,
    #[serde(default, skip_serializing_if = "is_false")]
    pub read_only: bool,
}

/// An address of a process on the metal, which has the host's network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitAddress {
    /// Of its network: the bridge, or the device that others share.
    pub device: String,
    /// With its subnet's prefix.
    #[schemars(with = "String")]
    pub address: Ipv4Net,
}

/// How it starts, ends, and is known to be well.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitLife {
    /// True: it ends by itself, having done its work.
    #[serde(default, skip_serializing_if = "is_false")]
    pub task: bool,
    /// Of a task: when it runs, in systemd's words. Absent: once, and whenever it changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<String>,
    /// True: it says itself when it is ready (sd_notify).
    #[serde(default, skip_serializing_if = "is_false")]
    pub notifies: bool,
    /// It says that it is alive at least so often, or is started again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watchdog_s: Option<u32>,
    /// `always`, `on-failure`; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart_delay_s: Option<u32>,
    /// Absent: `SIGTERM`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    /// After so many seconds it is killed; absent: systemd's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_timeout_s: Option<u32>,
    /// A command on the host that ends with 0 where it is well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub health_check: Vec<String>,
}
