//! What is wanted on a daemon, what is there, and the change from one to the other.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Address, Body, Mark, ResourceId};

/// One object as a provider will write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    pub id: ResourceId,
    pub address: Address,
    /// A struct of `target`, as JSON. Secrets stand as digests.
    pub body: Body,
    /// The file its content comes from, if any. Not compared: the content's digest is in the body.
    pub source: Option<PathBuf>,
    /// Must be there before it, and go after it.
    pub after: Vec<ResourceId>,
}

/// One object as found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed {
    Absent,
    /// Ours and whole. The body holds real values where it was given secrets.
    Present {
        address: Address,
        body: Body,
    },
    /// Ours, and cut off while it was being made or removed.
    Partial {
        address: Address,
        why: String,
    },
    /// The name is taken by an object that does not carry this project's mark.
    Foreign {
        what: String,
        /// What it is, where it carries nobody's mark: it can be imported.
        unmarked: Option<Box<Unmarked>>,
    },
}

impl Observed {
    /// The same, where an object without a mark is ours because this very one was imported for `address`.
    #[must_use]
    pub fn imported(self, identity: &str, address: &Address) -> Self {
        match self {
            Self::Foreign {
                unmarked: Some(found),
                ..
            } if found.identity == identity => match found.body {
                Ok(body) => Self::Present {
                    address: address.clone(),
                    body: body.into(),
                },
                Err(why) => Self::Partial {
                    address: address.clone(),
                    why,
                },
            },
            other => other,
        }
    }
}

/// An object that carries nobody's mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmarked {
    /// What the daemon knows it by for as long as it exists, and no other ever: a container's id, a domain's UUID.
    pub identity: String,
    /// Or why it cannot be told.
    pub body: Result<Value, String>,
}

/// What a change of one attribute takes.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    /// The workload keeps running.
    InPlace,
    /// The same object, stopped and started again.
    Restart,
    /// Removed and made anew.
    Replace,
}

/// One attribute in which two bodies of an object differ.
#[derive(Clone, Copy, Debug)]
pub struct Edit<'a> {
    /// Leads to it: object keys and list indices.
    pub path: &'a [String],
    /// It was there and shall be no more.
    pub removed: bool,
    pub before: &'a Value,
    pub after: &'a Value,
}

/// What a daemon is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub id: ResourceId,
    pub mark: Mark,
    /// [`Unmarked::identity`] of the one that was imported: it is ours though it does not carry the mark.
    pub imported: Option<String>,
    pub action: Action,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Make it; finish it where it is half made.
    Create {
        body: Value,
        source: Option<PathBuf>,
        /// Nobody has the name, as far as was seen: where somebody has it, fail with [`crate::Remedy::Replan`] and touch
        /// nothing, also where it is ours. Asked for only where the daemon [`refuses_taken`](crate::Daemon) names.
        anew: bool,
    },
    /// Change `before` into `after`, in place or by a restart of the same object.
    Update {
        before: Value,
        after: Value,
        impact: Impact,
    },
    /// Make its next start as `after` says; what runs stays as it is.
    Prepare { after: Value },
    /// Make the new one beside the old one (under the name that [`crate::names::next`] gives), remove the old one, and
    /// give the new one its name. Goes on from wherever an earlier call was cut off.
    Replace {
        body: Value,
        /// Whether the new one runs before the old one is stopped; else it is started when that is gone.
        early: bool,
    },
    /// Move it, while it runs, to where `to` says, and leave nothing of it here. Only while it runs and is whole; fails
    /// with it running here where it cannot be had there.
    Migrate {
        to: ResourceId,
        /// Where this daemon finds the one over there.
        uri: String,
        options: MigrationOptions,
        /// What it is there.
        after: Value,
    },
    /// Remove it, whole or half made.
    Delete,
}

/// How something moves to another host while it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MigrationOptions {
    /// It may stand still for so long at the end; absent: as long as the daemon takes for usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downtime_ms: Option<u64>,
    /// At most so many bytes a second are sent; absent: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bandwidth_bytes: Option<u64>,
    /// Whether it goes on over there before all of its memory has arrived, where that would not come to an end otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub post_copy: bool,
}

/// Whether dependents may start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    Ready,
    /// Not yet, and what is waited for.
    Waiting(String),
    /// It will not be: it stopped, or its health check failed for good.
    Failed(String),
}
