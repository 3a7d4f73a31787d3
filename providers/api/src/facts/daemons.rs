//! What the daemons of a host say of themselves: the Docker engine, and libvirt.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The Docker engine of the host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Docker {
    /// Version of its API.
    #[serde(default)]
    pub api_version: Option<String>,
    /// Where it keeps images, volumes and containers.
    #[serde(default)]
    pub root_dir: Option<String>,
    /// Free disk space there, in bytes.
    #[serde(default)]
    pub free_bytes: Option<u64>,
    /// Who writes the control groups: `systemd`, `cgroupfs` or `none`.
    #[serde(default)]
    pub cgroup_driver: Option<String>,
    /// How images and containers are stored: `overlay2`, `vfs` …
    #[serde(default)]
    pub storage_driver: Option<String>,
    /// Whether containers outlive a restart of the engine.
    #[serde(default)]
    pub live_restore: Option<bool>,
    /// The version of the control groups it puts containers into: 1 or 2.
    #[serde(default)]
    pub cgroup_version: Option<u8>,
    /// What can run its containers, by its own names: `runc`, `runsc` …
    #[serde(default)]
    pub runtimes: Option<BTreeSet<String>>,
    /// What of the kernel keeps its containers apart: `apparmor`, `seccomp`, `selinux`, `userns` …
    #[serde(default)]
    pub security: Option<BTreeSet<String>>,
    /// Limits that the kernel lets it set: `cpu_quota`, `cpu_shares`, `oom_kill_disable`, `swap`. It leaves out any
    /// other it is asked for, and says so nowhere but in a warning.
    #[serde(default)]
    pub limits: Option<BTreeSet<String>>,
    /// Its networks that have subnets, by name: no other network of the host may overlap them.
    #[serde(default)]
    pub networks: Vec<DockerNetwork>,
}

impl Docker {
    /// Its API's major and minor number, which is all its versions ever needed.
    #[must_use]
    pub fn api(&self) -> Option<(u16, u16)> {
        let (major, minor) = self.api_version.as_deref()?.split_once('.')?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    }
}

/// A network of the Docker engine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DockerNetwork {
    /// Its name. Two may have the same.
    pub name: String,
    /// The project of `infra` it belongs to. Null where `infra` did not make it.
    #[serde(default)]
    pub project: Option<String>,
    /// Its subnets, as `10.9.0.0/24`.
    #[serde(default)]
    pub subnets: Vec<String>,
}

/// The libvirt daemon of the host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Libvirt {
    /// The connection these facts came over: `qemu:///system`.
    pub uri: String,
    /// Whether it can define domains of type `kvm`. Whether these run is in `runtimes.kvm`.
    #[serde(default)]
    pub kvm: Option<bool>,
    /// Whether it can define domains of type `qemu` (emulated CPUs).
    #[serde(default)]
    pub emulated: Option<bool>,
    /// The emulator it starts for the host's architecture.
    #[serde(default)]
    pub emulator: Option<String>,
    /// Machine types of that emulator, by name.
    #[serde(default)]
    pub machines: Vec<String>,
    /// What it takes the host's CPU for: the nearest model it knows, and what this one has beside it, as in
    /// `EPYC-Rome+x2apic`.
    #[serde(default)]
    pub cpu: Option<String>,
    /// What machines can be built of.
    #[serde(default)]
    pub devices: Devices,
    /// Storage pools, by name.
    #[serde(default)]
    pub pools: Vec<Pool>,
    /// Its networks that have subnets, by name: no other network of the host may overlap them.
    #[serde(default)]
    pub networks: Vec<LibvirtNetwork>,
}

/// What libvirt says it can build machines of, for its usual acceleration and machine type. Null is not said.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct Devices {
    /// Firmware it finds by itself: `bios`, `efi`.
    #[serde(default)]
    pub firmware: Option<Vec<String>>,
    /// Whether one of them boots only what is signed.
    #[serde(default)]
    pub secure_boot: Option<bool>,
    /// Backends of a TPM: `emulator`, `passthrough`.
    #[serde(default)]
    pub tpm: Option<Vec<String>>,
    /// What a screen may speak.
    #[serde(default)]
    pub graphics: Option<Vec<String>>,
    /// Models of graphics cards.
    #[serde(default)]
    pub video: Option<Vec<String>>,
    /// Drivers of shared directories: `virtiofs`, …
    #[serde(default)]
    pub filesystems: Option<Vec<String>>,
}

/// A network of libvirt, whether it is started or not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LibvirtNetwork {
    /// Its name.
    pub name: String,
    /// The project of `infra` it belongs to. Null where `infra` did not make it.
    #[serde(default)]
    pub project: Option<String>,
    /// Its bridge on the host. Null where it has none.
    #[serde(default)]
    pub bridge: Option<String>,
    /// Its subnets, as `192.168.122.0/24`.
    #[serde(default)]
    pub subnets: Vec<String>,
}

/// A storage pool of libvirt.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// Its kind: `dir`, `logical` …
    #[serde(default)]
    pub kind: Option<String>,
    /// Whether it is started.
    #[serde(default)]
    pub active: Option<bool>,
    /// Where its volumes are.
    #[serde(default)]
    pub path: Option<String>,
    /// Its size in bytes.
    #[serde(default)]
    pub capacity_bytes: Option<u64>,
    /// Free space in it, in bytes.
    #[serde(default)]
    pub free_bytes: Option<u64>,
}
