//! What tells that a machine's guest is up.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When a guest is ready: when all of this is so. What is absent is not asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GuestReady {
    /// The guest agent answers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub agent: bool,
    /// One of its NICs has an address by DHCP.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lease: bool,
    /// Its first NIC's address takes a TCP connection on this port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// A line of its serial console has this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub console: Option<String>,
    /// cloud-init has said on the console that it has finished.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cloud_init: bool,
}
