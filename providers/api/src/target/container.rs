//! What is wanted of a container engine. What an engine fills in by itself is absent here, unless it is ours.

mod confinement;
mod devices;
mod limits;
mod network;
mod place;
mod process;

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{IdSet, Text};

pub use confinement::{Confinement, Security};
pub use devices::{Device, DeviceRequest, Devices};
pub use limits::{BlockDevice, Limits, Ulimit};
pub use network::{ContainerNetwork, Driver, Range6};
pub use place::{Endpoint, Mount, Naming, Port};
pub use process::{HealthCheck, Log, Probe, Process, Restart, UploadedFile};

/// Where a container image comes from. Not part of the body: where a file lies is no property of the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageSource {
    /// A local archive: what `docker save` writes, or a root file system's tar (what `docker export` writes).
    Archive(PathBuf),
    /// A registry, by the reference in the body.
    Registry,
}

/// A container image on a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContainerImage {
    /// What containers call it. Of an archive: `infra/PROJECT/NAME:SHA256-16`, made by us, so that its content is
    /// in its name. Of a registry: `REPOSITORY@sha256:…`, pinned.
    pub reference: String,
    /// Of an archive: SHA-256 of the file, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Of a registry, where it is not the host's own: `OS/ARCHITECTURE[/VARIANT]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
}

/// A volume of the container engine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContainerVolume {
    pub name: String,
    /// Absent: the engine's own, a directory of the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// Of the driver.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// The person's labels; ours are not listed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// A container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Container {
    pub name: String,
    /// [`ContainerImage::reference`].
    pub image: String,
    /// `running`; as observed also `created`, `exited`, `paused`, `restarting`, `dead`.
    pub state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<Text>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<Text>>,
    /// Added to the image's own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// Empty where it has the host's own.
    pub hostname: String,
    /// The person's labels; ours are not listed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<Port>,
    /// By the path inside the container.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mounts: BTreeMap<String, Mount>,
    /// Put into the container before it starts; by the path inside it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, UploadedFile>,
    /// By the network's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub networks: BTreeMap<String, Endpoint>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub naming: Naming,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart: Option<Restart>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub process: Process,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<Log>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub security: Security,
    #[serde(default, skip_serializing_if = "is_default")]
    pub confinement: Confinement,
    #[serde(default, skip_serializing_if = "is_default")]
    pub devices: Devices,
    /// By name: `nofile`, `memlock`, …
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ulimits: BTreeMap<String, Ulimit>,
    /// Where its threads may run (cpuset.cpus); absent: anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus: Option<IdSet>,
    /// NUMA nodes its memory comes from (cpuset.mems).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_nodes: Option<IdSet>,
    /// Hard limit in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pids: Option<u64>,
    /// Always written, even empty: each limit is a change of its own, and some change in place.
    #[serde(default)]
    pub limits: Limits,
}

/// Whether nothing of it is wanted.
pub(super) fn is_default<T: Default + PartialEq>(part: &T) -> bool {
    *part == T::default()
}

pub(super) fn is_false(flag: &bool) -> bool {
    !*flag
}
