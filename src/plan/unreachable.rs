//! What a plan says of a host that nobody could look at.

use std::collections::BTreeSet;

use infra_api::Address;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A host that could not be reached while planning: nothing of it was looked at, and nothing of it is changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unreachable {
    /// What was tried, and what came of it.
    pub why: String,
    /// So many objects there stay as they are, and as they are recorded.
    pub objects: u64,
    /// Workloads that stay there.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub stay: BTreeSet<Address>,
    /// Workloads that must go there, and wait.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub wait: BTreeSet<Address>,
}
