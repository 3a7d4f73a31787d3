//! The documents of `plan --json` and `diff --json`: their own shapes, so that the core's types may change. Sizes are
//! integers in bytes; what is absent is null.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use infra_api::{
    Address, CpuPolicy, HostName, IdSet, Impact, Level, Need, Needs, Project, ResourceId, Runtime,
    Settings,
};
use infra_plan::{Migration, Reason, Starts, StepAction, When};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

pub use super::changes::Counts;

/// `MAJOR.MINOR` of both documents. A larger minor number only adds fields.
pub const FORMAT_VERSION: &str = "1.3";

/// What `infra plan --json` prints.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PlanDocument {
    /// `MAJOR.MINOR` of this document. A larger minor number only adds fields.
    pub format_version: String,
    /// The configuration's name.
    pub project: Project,
    /// What hosts keep for themselves. Empty where a plan file is shown.
    pub hosts: Vec<HostDocument>,
    /// Every workload, in the order of addresses: where it runs, or why nowhere.
    pub workloads: Vec<WorkloadDocument>,
    /// What is done, in an order that satisfies every `needs`.
    pub steps: Vec<StepDocument>,
    /// Outputs that change, by name.
    pub outputs: BTreeMap<String, OutputDocument>,
    /// Objects of which only the record in the state changes. Empty where there are steps.
    pub recorded: Vec<RecordedDocument>,
    /// Moves to better places, where they were asked for.
    pub rebalanced: Vec<ImprovementDocument>,
    /// Addresses that are others now, and what they were: only the state says so.
    pub moved: BTreeMap<Address, Address>,
    /// Objects that are let go of: they stay as they are.
    pub let_go: BTreeSet<ResourceId>,
    /// Objects that somebody else has made and that are ours from now on.
    pub imports: BTreeSet<ResourceId>,
    /// Addresses the plan does not speak of: what is there stays as it is.
    pub left_out: BTreeSet<Address>,
    /// Hosts that could not be reached and are left as they are; only with `--allow-unreachable`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub unreachable: Vec<UnreachableDocument>,
    /// How many objects change in which way; a replacement is one object, also where it takes two steps.
    pub summary: Counts,
}

/// A host that could not be reached while planning: nothing of it was looked at, and nothing of it is changed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct UnreachableDocument {
    pub host: HostName,
    /// What was tried, and what came of it.
    pub why: String,
    /// So many objects there stay as they are, and as they are recorded.
    pub objects: u64,
    /// Workloads that stay there.
    pub stay: BTreeSet<Address>,
    /// Workloads that must go there, and wait.
    pub wait: BTreeSet<Address>,
}

/// A host.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct HostDocument {
    pub name: HostName,
    /// CPUs no workload gets.
    pub reserved_cpus: IdSet,
    /// Whether that is the default and not the person's word.
    pub reserved_by_default: bool,
}

/// A workload: a place, or refusals.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct WorkloadDocument {
    pub address: Address,
    /// What it runs as. Null: it has no place.
    pub runtime: Option<Runtime>,
    /// The settings it has by its needs. Empty: it needs nothing.
    #[serde(skip_serializing_if = "Settings::is_default")]
    #[schemars(default)]
    pub with: Settings,
    /// How its candidates suit. Absent: it needs nothing, or stays as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suits: Option<SuitsDocument>,
    /// Where it runs. Null: it has no place.
    pub host: Option<HostName>,
    /// Whether its CPUs are its own. Null: it has no place.
    pub policy: Option<CpuPolicy>,
    /// One for each NUMA node it uses; one without a node where it is bound to none.
    pub cells: Vec<CellDocument>,
    /// CPUs of threads beside the vCPUs': `emulator`.
    pub helpers: BTreeMap<String, IdSet>,
    /// PCI addresses given to it.
    pub devices: Vec<String>,
    /// What the choice of this place cost; lower is better, the first that differs decides.
    pub tiers: Vec<TierDocument>,
    /// Planned address of each interface, by the interface's label.
    pub addresses: BTreeMap<String, Ipv4Addr>,
    /// Why there, in words.
    pub reasons: Vec<String>,
    /// Why nowhere, by classes of equal hosts. Empty: it has a place.
    pub refused: Vec<RefusalDocument>,
}

/// How runtimes suit what a workload needs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SuitsDocument {
    /// Those that are not `none`.
    pub needs: Needs,
    /// What is possible, the best first.
    pub candidates: Vec<CandidateDocument>,
    /// What a need excludes.
    pub excluded: Vec<ExcludedDocument>,
    /// The change of one need that would turn the choice, the nearest first.
    pub turns: Vec<TurnDocument>,
}

/// A runtime with its settings, and how it suits.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CandidateDocument {
    pub runtime: Runtime,
    pub with: Settings,
    /// The mean of its penalties, weighted by the needs' levels: 0 to 10, lower is better.
    pub score: f64,
    /// The rule that set it before one with a lower score: the two are a tie. Absent: its score did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What it costs each need: 0 to 10.
    pub penalties: BTreeMap<Need, f64>,
}

/// What a need excludes, and why.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ExcludedDocument {
    pub runtime: Runtime,
    pub with: Settings,
    pub why: String,
}

/// A need at another level, and what would be chosen then.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TurnDocument {
    pub need: Need,
    pub level: Level,
    pub runtime: Runtime,
}

/// Moves that gain something together.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ImprovementDocument {
    pub moves: Vec<MoveDocument>,
    /// Criteria that differ, the weightiest first: that one is better.
    pub gains: Vec<GainDocument>,
}

/// Another place for a workload.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MoveDocument {
    pub workload: Address,
    pub from: HostName,
    /// Equal to `from`: it has other CPUs or nodes there.
    pub to: HostName,
}

/// What a criterion comes to for those who move, in sum.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct GainDocument {
    /// As in `tiers`; `spread`: wishes about others that are not met; `hosts`: hosts in use.
    pub name: String,
    pub before: u64,
    pub after: u64,
}

/// A workload's part on one NUMA node.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CellDocument {
    /// The host's NUMA node its memory is bound to. Null: none.
    pub node: Option<u32>,
    pub vcpus: Vec<VcpuDocument>,
    pub memory_bytes: u64,
    /// Huge pages of this size back the memory. Null: ordinary pages.
    pub page_size_bytes: Option<u64>,
    /// CPUs its vCPUs may run on. Empty: any.
    pub cpus: IdSet,
}

/// A virtual CPU, or the n-th CPU a container may use.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct VcpuDocument {
    pub id: u32,
    /// The one CPU it has to itself. Null: it shares the cell's.
    pub cpu: Option<u32>,
}

/// One criterion of placement.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TierDocument {
    pub name: String,
    pub cost: u64,
}

/// Hosts on which a workload has no place, for the same reason with the same numbers.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RefusalDocument {
    pub runtime: Runtime,
    /// Its settings.
    #[serde(skip_serializing_if = "Settings::is_default")]
    #[schemars(default)]
    pub with: Settings,
    pub hosts: Vec<HostName>,
    /// The first constraint that is broken: `gate`, `named_cpus`, `dedicated_cpus`, `one_l3`, `shared_cpus`,
    /// `overcommit`, `helpers`, `named_nodes`, `memory` (in bytes), `huge_pages` (in pages), `cells`, `devices`,
    /// `together` (each thing is there, and not on the same nodes), `apart`, `elsewhere`,
    /// `nowhere` (it lacks a label), `drained`, `undecided`.
    pub constraint: String,
    /// What is needed. Null: it is no quantity.
    pub need: Option<Amount>,
    /// What there is. Null: it is no quantity.
    pub have: Option<Amount>,
    /// The same in words.
    pub why: String,
}

/// A number, or ids as a Linux list (`0-3,8`).
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Amount {
    Number(u64),
    Ids(IdSet),
}

/// One change of one object.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct StepDocument {
    /// From 1.
    pub number: u32,
    pub resource: ResourceId,
    pub address: Address,
    pub action: StepAction,
    pub reason: Reason,
    /// What was found: `absent`, `partial`, `present`, or `removed` by an earlier step.
    pub found: String,
    /// Attributes that differ.
    pub changes: Vec<ChangeDocument>,
    /// What is made: the whole body; secrets stand as digests. Null where nothing is made.
    pub creates: Option<Value>,
    /// Steps that must be done before.
    pub needs: Vec<u32>,
    /// Objects that it shares CPUs with until they have moved.
    pub overlaps: Vec<ResourceId>,
    /// What must be ready before it starts.
    pub waits_for: Vec<ResourceId>,
    /// Of a replacement with `create_before_destroy`: when the new one is started. Only there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts: Option<Starts>,
    /// How long it may take, where its declaration says so. Only there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// It is done when its own object is ready.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub until_ready: bool,
    /// How long each of those waited for may take to become ready, where its declaration says so.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub ready_ms: BTreeMap<ResourceId, u64>,
    /// It stops something that runs and may not be stopped at any time. Only there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    /// It moves here while it runs: from where, and how. Then what was found was found there. Only there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub migration: Option<Migration>,
}

/// One attribute that differs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ChangeDocument {
    /// Its way in the body.
    pub path: Vec<String>,
    /// Null: was not there.
    pub before: Option<Value>,
    /// Null: will not be there.
    pub after: Option<Value>,
    pub impact: Impact,
}

/// An object of which only the record in the state changes.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RecordedDocument {
    pub resource: ResourceId,
    pub address: Address,
    /// `changed` (it is recorded as it was found), `gone` (and forgotten), `found` (by its mark).
    pub what: String,
    /// Attributes that differ.
    pub changes: Vec<ChangeDocument>,
}

/// An output that changes.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct OutputDocument {
    /// Its value is in no document.
    pub sensitive: bool,
    /// Null: was not there, or is sensitive.
    pub before: Option<Value>,
    /// Null: will not be there, or is sensitive.
    pub after: Option<Value>,
}

/// What `infra diff --json` prints.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DriftDocument {
    /// `MAJOR.MINOR` of this document. A larger minor number only adds fields.
    pub format_version: String,
    /// Every object that differs from the state, in the order of ids.
    pub differences: Vec<DifferenceDocument>,
    /// Hosts that could not be reached and were not looked at, and why; only with `--allow-unreachable`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(default)]
    pub unreachable: BTreeMap<HostName, String>,
}

/// An object that differs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DifferenceDocument {
    pub resource: ResourceId,
    pub address: Address,
    /// `missing`, `taken`, `half_made`, `changed` or `stray`.
    pub drift: String,
    /// What has its name, or what is half made of it. Null where there is nothing to say.
    pub why: Option<String>,
    /// Of what changed: attributes, from the state's to what was found.
    pub changes: Vec<ChangeDocument>,
}
