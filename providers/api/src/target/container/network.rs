//! A network of containers.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A network that the engine makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContainerNetwork {
    pub name: String,
    /// The Linux bridge's name, which the engine makes; machines on the same network are attached to it. Absent where
    /// the network is on a device of the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bridge: Option<String>,
    /// Absent: a bridge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<Driver>,
    /// Absent, and the gateway with it: its members' addresses are others' to give.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub subnet: Option<Ipv4Net>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Ipv4Addr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<Range6>,
    /// True: nothing outside is reached through it.
    pub internal: bool,
    /// Of the driver.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// The person's labels; ours are not listed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// On a device of the host, without a bridge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Driver {
    /// `macvlan`, `ipvlan` for containers alone, or `sriov` for machines alone.
    pub name: String,
    /// The host's device: `eth0`, `eth0.7`; of `sriov` the PF.
    pub parent: String,
    /// Of macvlan `bridge`, `private`, `vepa` or `passthru`; of ipvlan `l2`, `l3` or `l3s`; of `sriov` there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mode: String,
}

/// Its IPv6 side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Range6 {
    #[schemars(with = "String")]
    pub subnet: Ipv6Net,
    pub gateway: Ipv6Addr,
}
