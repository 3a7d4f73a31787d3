//! A container's processes: how they are started, watched, stopped and listened to, and files they find.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::is_false;
use crate::Text;

/// How its first process is started and stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// Further groups of its user, by name or number. Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// An init that reaps and passes on signals; absent: the engine's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init: Option<bool>,
    /// True: on a terminal.
    #[serde(default, skip_serializing_if = "is_false")]
    pub tty: bool,
    /// True: its input is kept open.
    #[serde(default, skip_serializing_if = "is_false")]
    pub stdin: bool,
    /// Absent: the image's, else `SIGTERM`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    /// After so many seconds it is killed; absent: 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_timeout_s: Option<u32>,
}

/// When the engine starts it again by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Restart {
    /// `always`, `on-failure` or `unless-stopped`.
    pub policy: String,
    /// Of `on-failure`: how often at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<u32>,
}

/// What tells whether it is well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthCheck {
    pub probe: Probe,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_ns: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ns: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_period_ns: Option<u64>,
    /// Between two runs within the start period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_interval_ns: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
}

/// What is run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Probe {
    /// A command and its arguments, without a shell.
    Command(Vec<String>),
    /// A line for the container's shell.
    Shell(String),
    /// Nothing, though the image has a check.
    None,
}

/// Where its output goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub driver: String,
    /// Of the driver. What the engine's own configuration adds is not listed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
}

/// A file that is put into the container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UploadedFile {
    /// Its text; in base64 where it is `binary`.
    pub content: Text,
    #[serde(default, skip_serializing_if = "is_false")]
    pub binary: bool,
    /// Permission bits.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
}
