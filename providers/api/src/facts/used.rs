//! What is already taken on a host, and by whom.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cpuset::IdSet;

/// What one owner has taken of the host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Used {
    /// Who has it: the address of a workload of `project`, else a name to show to a person
    /// (`docker:redis`, `libvirt:build1`).
    pub owner: String,
    /// The project of `infra` it belongs to. Null where `infra` did not make it.
    #[serde(default)]
    pub project: Option<String>,
    /// CPUs nobody else may use.
    #[serde(default)]
    pub exclusive_cpus: IdSet,
    /// CPUs it is bound to and shares. Empty where it may run on any.
    #[serde(default)]
    pub shared_cpus: IdSet,
    /// Ordinary memory it may use at most, in bytes; huge pages are counted apart. Null where it
    /// has no limit or none is known.
    #[serde(default)]
    pub memory_bytes: Option<u64>,
    /// Nodes its memory is bound to. Null where it is not bound.
    #[serde(default)]
    pub memory_nodes: Option<IdSet>,
    /// Huge pages it holds or will hold.
    #[serde(default)]
    pub hugepages: Vec<UsedPages>,
    /// PCI addresses of the virtual functions and devices it holds.
    #[serde(default)]
    pub vfs: Vec<String>,
    /// Ports of the host that lead to it.
    #[serde(default)]
    pub host_ports: Vec<HostPort>,
}

/// Huge pages of one size on one node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct UsedPages {
    /// The node they are on. Null where they may be on any.
    #[serde(default)]
    pub node: Option<u32>,
    /// Size of a page, in bytes.
    pub size_bytes: u64,
    /// How many.
    pub count: u64,
}

/// A port of the host that is taken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct HostPort {
    /// The address it listens on. Null is every address.
    #[serde(default)]
    pub address: Option<IpAddr>,
    /// The port's number.
    pub port: u16,
    /// Its protocol.
    #[serde(default)]
    pub protocol: Protocol,
}

/// A transport protocol.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    #[default]
    Tcp,
    Udp,
    Sctp,
}
