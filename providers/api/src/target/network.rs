//! A network of virtual machines.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Driver;

/// A network of machines: a bridge of its own, one that is there, or a device of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MachineNetwork {
    pub name: String,
    pub uuid: String,
    /// The Linux bridge's name. Absent where the network is on a device of the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bridge: Option<String>,
    /// Absent: a bridge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<Driver>,
    /// Absent: the bridge is made by a [`super::ContainerNetwork`], or is the host's, and only used here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<OwnBridge>,
}

/// What a network that makes its bridge needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnBridge {
    #[schemars(with = "String")]
    pub subnet: Ipv4Net,
    pub gateway: Ipv4Addr,
    /// True: no forwarding; false: NAT, unless it is routed.
    pub internal: bool,
    /// True: forwarded with the addresses they have.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub routed: bool,
    /// Who is told an address by DHCP, by MAC; empty: there is no DHCP.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dhcp: BTreeMap<String, Lease>,
    /// What its DNS knows beside what the host's does; absent: there is no DNS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns: Option<Dns>,
}

/// Records of a network's DNS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dns {
    /// Addresses by names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hosts: BTreeMap<String, IpAddr>,
    /// Texts by names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub txt: BTreeMap<String, String>,
    /// In order, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub srv: Vec<DnsService>,
}

/// Where a service is: `_SERVICE._PROTOCOL.DOMAIN`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DnsService {
    pub service: String,
    /// `tcp` or `udp`.
    pub protocol: String,
    pub domain: String,
    /// The name of who has it.
    pub target: String,
    pub port: u16,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: u16,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub weight: u16,
}

fn is_zero(number: &u16) -> bool {
    *number == 0
}

/// What DHCP tells somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lease {
    pub address: Ipv4Addr,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}
