//! A container's surroundings: ports, mounts, networks and names.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::is_false;

/// A port of the host that leads to one of the container.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Port {
    pub host: u16,
    pub container: u16,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
    /// The host's address it listens on; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_address: Option<String>,
}

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "type", deny_unknown_fields)]
pub enum Mount {
    /// A [`ContainerVolume`](super::ContainerVolume).
    Volume {
        source: String,
        read_only: bool,
        /// A directory of the volume, which must be there; absent: all of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subpath: Option<String>,
        /// True: an empty volume does not begin as a copy of what the image has there.
        #[serde(default, skip_serializing_if = "is_false")]
        no_copy: bool,
    },
    /// A path of the host, which must be there.
    Bind {
        source: String,
        read_only: bool,
        /// Of mounts below it: `private`, `rshared`, …; absent: `rprivate`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        propagation: Option<String>,
        /// True: without what is mounted below it.
        #[serde(default, skip_serializing_if = "is_false")]
        non_recursive: bool,
    },
    Tmpfs {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size_bytes: Option<u64>,
        /// Permission bits; absent: 1777.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mode: Option<u32>,
    },
}

impl Mount {
    /// All of a volume.
    #[must_use]
    pub fn volume(source: impl Into<String>, read_only: bool) -> Self {
        Self::Volume {
            source: source.into(),
            read_only,
            subpath: None,
            no_copy: false,
        }
    }

    /// A path of the host, with what is mounted below it.
    #[must_use]
    pub fn bind(source: impl Into<String>, read_only: bool) -> Self {
        Self::Bind {
            source: source.into(),
            read_only,
            propagation: None,
            non_recursive: false,
        }
    }
}

/// A container's place in a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Absent in a network without a subnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Ipv4Addr>,
    /// In a network with IPv6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address6: Option<Ipv6Addr>,
    /// Names by which other containers of the network find it. Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// In lower case; absent: the engine's choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
}

/// How it finds others by name. Absent: as its host does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Naming {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domainname: Option<String>,
    /// In the order they are asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<String>,
    /// Domains, in the order they are tried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub search: Vec<String>,
    /// Of the resolver: `ndots:2`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// In its `/etc/hosts`: name → address, or `host-gateway`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hosts: BTreeMap<String, String>,
}
