//! With what a runtime runs a workload: settings that change how well it suits.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Runtime;

/// A setting. Some are the person's to declare, some the planner adds where a need asks for them (see `Setting::needs`
/// of the model); all change a figure.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// CPUs of its own, each vCPU on one of them; memory of their nodes.
    Pinned,
    /// Memory in huge pages, of the nodes of its CPUs (VMs).
    HugePages,
    /// Threads beside the emulator's own serve its disks, past the host's page cache (VMs).
    Iothread,
    /// Virtual functions of a network card instead of emulated cards (VMs).
    Function,
    /// A function together with an emulated card that takes over while the machine goes elsewhere (VMs).
    Teaming,
    /// A whole drive of the host (VMs).
    WholeDisk,
    /// The host's own network stack (containers).
    HostNetwork,
    /// A network of macvlan or ipvlan: no bridge, no NAT (containers).
    Macvlan,
    /// What it writes lies on volumes (containers).
    Volume,
    /// What it writes lies on the container's own layer, though its disk matters (containers).
    WritableLayer,
    /// A runtime with a kernel between it and the host's: gVisor, Kata (containers).
    Sandbox,
}

impl Setting {
    pub const ALL: [Self; 11] = [
        Self::Pinned,
        Self::HugePages,
        Self::Iothread,
        Self::Function,
        Self::Teaming,
        Self::WholeDisk,
        Self::HostNetwork,
        Self::Macvlan,
        Self::Volume,
        Self::WritableLayer,
        Self::Sandbox,
    ];

    /// The word in the table and in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pinned => "pinned",
            Self::HugePages => "huge_pages",
            Self::Iothread => "iothread",
            Self::Function => "function",
            Self::Teaming => "teaming",
            Self::WholeDisk => "whole_disk",
            Self::HostNetwork => "host_network",
            Self::Macvlan => "macvlan",
            Self::Volume => "volume",
            Self::WritableLayer => "writable_layer",
            Self::Sandbox => "sandbox",
        }
    }

    /// For people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Pinned => "CPUs of its own",
            Self::HugePages => "huge pages",
            Self::Iothread => "an I/O thread",
            Self::Function => "a VF",
            Self::Teaming => "a VF and a card beside it",
            Self::WholeDisk => "a whole drive",
            Self::HostNetwork => "the host's network",
            Self::Macvlan => "macvlan",
            Self::Volume => "volumes",
            Self::WritableLayer => "its writable layer",
            Self::Sandbox => "a sandbox",
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// Some settings. In JSON a list of words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Settings(u16);

impl Settings {
    pub const NONE: Self = Self(0);

    #[must_use]
    pub fn has(self, setting: Setting) -> bool {
        self.0 & (1 << setting as u16) != 0
    }

    #[must_use]
    pub fn and(self, setting: Setting) -> Self {
        Self(self.0 | 1 << setting as u16)
    }

    #[must_use]
    pub fn without(self, setting: Setting) -> Self {
        Self(self.0 & !(1 << setting as u16))
    }

    /// Whether all of these are in others.
    #[must_use]
    pub fn is_subset(self, others: Self) -> bool {
        self.0 & !others.0 == 0
    }

    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    #[must_use]
    pub fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Those in both.
    #[must_use]
    pub fn common(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }

    /// Those in either.
    #[must_use]
    pub fn both(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Those that are not in others.
    #[must_use]
    pub fn minus(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    pub fn iter(self) -> impl Iterator<Item = Setting> {
        Setting::ALL.into_iter().filter(move |s| self.has(*s))
    }
}

impl FromIterator<Setting> for Settings {
    fn from_iter<T: IntoIterator<Item = Setting>>(settings: T) -> Self {
        settings.into_iter().fold(Self::NONE, Self::and)
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, setting) in self.iter().enumerate() {
            let lead = if n == 0 { "" } else { ", " };
            write!(f, "{lead}{setting}")?;
        }
        Ok(())
    }
}

impl Serialize for Settings {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<Setting>::deserialize(deserializer)?
            .into_iter()
            .collect())
    }
}

impl JsonSchema for Settings {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Settings".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        generator.subschema_for::<Vec<Setting>>()
    }
}

/// A runtime with its settings: what is chosen for a workload.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Variant {
    pub runtime: Runtime,
    #[serde(default, skip_serializing_if = "Settings::is_default")]
    pub with: Settings,
}

impl Settings {
    /// For what is written only where there is something.
    #[must_use]
    #[allow(clippy::trivially_copy_pass_by_ref)] // serde's shape
    pub fn is_default(&self) -> bool {
        self.is_empty()
    }
}

impl From<Runtime> for Variant {
    /// With nothing set.
    fn from(runtime: Runtime) -> Self {
        Self {
            runtime,
            with: Settings::NONE,
        }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.with.is_empty() {
            true => write!(f, "{}", self.runtime),
            false => write!(f, "{} with {}", self.runtime, self.with),
        }
    }
}
