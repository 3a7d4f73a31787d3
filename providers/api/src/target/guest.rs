//! What a guest is told when it first starts, and what tells that it is up.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::VolumeRef;
use crate::Text;

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

/// A volume that holds what Ignition does at a disk's first start: its configuration, as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IgnitionVolume {
    pub volume: VolumeRef,
    pub config: Text,
}

/// The configuration that a machine's firmware hands to Ignition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ignition {
    /// An [`IgnitionVolume`].
    pub volume: VolumeRef,
    /// Tells one configuration from another.
    pub digest: String,
}
