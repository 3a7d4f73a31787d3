//! What stands around processes on the metal: slices that several of them are in, and file systems that are mounted on their
//! host for them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::UnitLimits;

/// A slice: a control group that holds those of units, with limits and weights for all of them together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slice {
    /// Without `.slice`.
    pub name: String,
    /// Always written, even empty: each is a change of its own.
    #[serde(default)]
    pub limits: UnitLimits,
    /// Never wanted: what somebody has laid over it, by section and directive.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub others: BTreeMap<String, String>,
}

/// A file system that is mounted on a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostMount {
    /// Without `.mount`: its path, as systemd escapes it.
    pub name: String,
    pub path: String,
    /// `mounted`. As observed also `not mounted`, `failed`, `not enabled`.
    pub state: String,
    /// A block device, `HOST:/PATH`, a folder, or `tmpfs`.
    pub source: String,
    /// Of the file system; absent: it is looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// Never wanted: what somebody has laid over it, by section and directive.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub others: BTreeMap<String, String>,
}
