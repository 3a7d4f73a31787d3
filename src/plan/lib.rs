//! Desired and observed to a plan: differences, their order and their reasons, as data. Pure; knows no
//! language, no file and no daemon.

mod assemble;
mod claims;
mod diff;
mod file;
mod made;
mod order;
mod reason;
mod unreachable;

pub use assemble::{Desired, Inputs, Migrates, Refusal, Timeouts, assemble};
pub use claims::Claims;
pub use diff::{diff, get};
pub use file::{FORMAT_VERSION, PlanFile, digest, read, write};
pub use made::MadeAs;
pub use order::{Cycle, Rolling};
pub use reason::Reason;
pub use unreachable::Unreachable;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use infra_api::{
    Address, Body, HostName, Impact, MigrationOptions, Moment, Placement, Project, ResourceId,
    Window,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// All that an apply does, and nothing it has to decide. A versioned file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// `MAJOR.MINOR` of this format.
    pub format_version: String,
    pub project: Project,
    /// The state this plan was made on.
    pub basis: Basis,
    /// What the state will hold when all steps are done.
    pub result: Outcome,
    /// In an order that satisfies every `needs`; numbered from 1.
    pub steps: Vec<Step>,
    /// Digests of the secret values that an apply must be able to fill in.
    pub secrets: Vec<String>,
    /// The daemons it was made against: `HOST/PROVIDER` and where that was. Another one is another world.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub daemons: BTreeMap<String, String>,
    /// Addresses it does not speak of: what is there stays as it is, as it was recorded.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub left_out: BTreeSet<Address>,
    /// Hosts it leaves as they are because they could not be reached.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unreachable: BTreeMap<HostName, Unreachable>,
    /// Addresses that are others now, and what they were: only the state says so.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub moved: BTreeMap<Address, Address>,
    /// Objects that are let go of: they stay as they are.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub let_go: BTreeSet<ResourceId>,
    /// Objects that somebody else has made and that are ours from now on.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub imports: BTreeSet<ResourceId>,
}

impl Plan {
    /// Whether applying it would touch anything outside the state file.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Forgets what things were made as that are gone, and takes back what was let go of and is wanted again.
    pub fn settle_names(&mut self) {
        let Outcome {
            resources,
            made_as,
            released,
            ..
        } = &mut self.result;
        let there: BTreeSet<&Address> = resources.values().map(|r| &r.address).collect();
        made_as.retain(|address| there.contains(address));
        released.retain(|id| !resources.contains_key(id));
    }
}

/// Which state a plan was made on; another one makes the plan stale.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Basis {
    /// Null: there was no state.
    pub lineage: Option<String>,
    pub serial: u64,
}

/// What a project consists of: the content of the state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    pub resources: BTreeMap<ResourceId, Record>,
    /// Where each workload runs.
    pub workloads: BTreeMap<Address, Placement>,
    pub outputs: BTreeMap<String, Output>,
    #[serde(default, skip_serializing_if = "MadeAs::is_empty")]
    pub made_as: MadeAs,
    /// Objects that carry our mark and were let go of: not ours to change any more.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub released: BTreeSet<ResourceId>,
    /// What each tag of an image stood for when it was last resolved, by `HOST REFERENCE`: where its registry does not
    /// answer, that is what it stands for still.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// One object that is ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub address: Address,
    /// A struct of the provider contract's `target`, as JSON; secrets stand as digests.
    pub body: Body,
    /// Goes after it when both are removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<ResourceId>,
    /// Its declaration says `lifecycle { prevent_destroy = true }`: kept here so that it holds when the
    /// declaration itself is removed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub prevent_destroy: bool,
    /// It was imported and carries no mark: what its daemon knows this very object by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<String>,
    /// It was made, and waited for in vain: the next apply waits again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unready: bool,
}

/// An output of the root module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Absent when sensitive: the digest stands in `digest`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub value: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// One change of one object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// From 1, in the order of the plan.
    pub number: u32,
    pub resource: ResourceId,
    pub address: Address,
    pub action: StepAction,
    /// As found while planning; what is found before the step must be equal.
    pub before: Before,
    /// Of what was imported and carries no mark: what its daemon knows this very object by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<String>,
    /// The file its content is uploaded from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<PathBuf>,
    pub reason: Reason,
    /// Attributes that differ, in their order in the body.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deltas: Vec<Delta>,
    /// Of what is prepared for its next start: what is found then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepared: Option<Value>,
    /// Steps that must be done before this one starts.
    pub needs: Vec<u32>,
    /// Objects that CPUs are taken from before they have let go: for a moment both run there. Only where waiting
    /// would make a cycle and the change is live.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overlaps: Vec<ResourceId>,
    /// What it `depends_on`, whether that has a step of its own or not, and the batch of instances that changes before
    /// its own: must be ready (health check passes, or it runs) before this is made, started or changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits_for: Vec<ResourceId>,
    /// It is done when its own object is ready.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub until_ready: bool,
    /// How long each of those waited for may take to become ready, where its declaration says so.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ready_ms: BTreeMap<ResourceId, u64>,
    /// Of a replacement with `create_before_destroy`: when the new one is started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts: Option<Starts>,
    /// How long its change may take, where its declaration says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// It stops something that runs, which may not be at any time. Absent: it may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    /// Of what moves while it runs: from where, and how. Then `before` is what is found there, and here nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migration: Option<Migration>,
}

/// A move to another host of something that goes on running.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Migration {
    /// What it is until then.
    pub from: ResourceId,
    /// Where the daemon over there finds the one over here.
    pub uri: String,
    pub options: MigrationOptions,
}

/// When a step may be done that stops what runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "may", deny_unknown_fields)]
pub enum When {
    /// Not before somebody has stopped it.
    Never,
    /// In this time of the week, as in `Sun 02:00-04:00`.
    Window { window: String },
}

impl When {
    #[must_use]
    pub fn is_open(&self, now: Moment) -> bool {
        match self {
            Self::Never => false,
            Self::Window { window } => window.parse().is_ok_and(|w: Window| w.contains(now)),
        }
    }
}

/// When the new one of two is started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "new_one", deny_unknown_fields)]
pub enum Starts {
    /// Before the old one is stopped.
    First,
    /// When the old one has stopped, for both have these.
    Second { both: Vec<String> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepAction {
    Create,
    /// What runs stays as it is; its next start, by whomever, is as wanted.
    Prepare,
    /// In place; what depends on it does not notice.
    Update,
    /// The same object, stopped and started again.
    Restart,
    /// Made anew: the new one is there before the old one goes.
    Replace,
    Delete,
    /// Moved here from another host while it runs.
    Migrate,
}

/// An object as it was found while planning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "found", deny_unknown_fields)]
pub enum Before {
    Absent,
    /// Half made by an apply that was cut off.
    Partial,
    Present {
        body: Body,
    },
    /// The step before it in a replacement removes it.
    Removed,
}

/// One attribute that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delta {
    /// Its way in the body, as in `env`, `GREETING`.
    pub path: Vec<String>,
    /// Absent: was not there.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub before: Option<Value>,
    /// Absent: will not be there.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub after: Option<Value>,
    pub impact: Impact,
}

/// What is written is there, be it null: only what is not written is absent.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
