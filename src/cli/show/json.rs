//! The plan and the drift for programs.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::{Address, HostName, Placement, Settings};
use infra_plan::{Before, Delta, Output, Plan, Step, StepAction};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use super::document::{
    CandidateDocument, CellDocument, ChangeDocument, DifferenceDocument, ExcludedDocument,
    GainDocument, HostDocument, ImprovementDocument, MoveDocument, OutputDocument,
    RecordedDocument, RefusalDocument, StepDocument, SuitsDocument, TierDocument, TurnDocument,
    UnreachableDocument, VcpuDocument, WorkloadDocument,
};
use super::{Drift, Drifts, PlanView, names, place};
use crate::inventory::HostInventory;
use crate::placing::{Constraint, HostRefusal, Improvement};

pub use super::document::{Amount, Counts, DriftDocument, FORMAT_VERSION, PlanDocument};

/// `plan --json`: one document. Of a fleet it is large: it is made while it is written.
#[must_use]
pub fn plan<'a>(view: &'a PlanView<'a>) -> impl Serialize + 'a {
    Document(view)
}

/// A [`PlanDocument`], its members in the order of their names.
struct Document<'a>(&'a PlanView<'a>);

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let view = self.0;
        let hosts = || view.inventory.iter().flat_map(|i| i.hosts.values());
        let steps = || view.plan.steps.iter().map(|s| step(view.plan, s));
        let small = PlanDocument {
            format_version: FORMAT_VERSION.to_owned(),
            project: view.project.clone(),
            hosts: Vec::new(),
            workloads: Vec::new(),
            steps: Vec::new(),
            outputs: outputs(view),
            recorded: recorded(view),
            rebalanced: rebalanced(view),
            moved: view.plan.moved.clone(),
            let_go: view.plan.let_go.clone(),
            imports: view.plan.imports.clone(),
            left_out: view.plan.left_out.clone(),
            unreachable: unreachable(view.plan),
            summary: Counts::of(view.plan),
        };
        let members = value(&small);
        let members = members.as_object().into_iter().flatten();
        let mut map = serializer.serialize_map(None)?;
        for (name, member) in members {
            match name.as_str() {
                "hosts" => map.serialize_entry(name, &Each(|| hosts().map(host)))?,
                "steps" => map.serialize_entry(name, &Each(steps))?,
                "workloads" => map.serialize_entry(name, &Each(|| workloads(view)))?,
                _ => map.serialize_entry(name, member)?,
            }
        }
        map.end()
    }
}

/// Documents of which there may be many, one after the other.
struct Each<F>(F);

impl<T: Serialize, I: Iterator<Item = T>, F: Fn() -> I> Serialize for Each<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)().map(|document| value(&document)))
    }
}

fn rebalanced(view: &PlanView<'_>) -> Vec<ImprovementDocument> {
    let improvements = view.decision.iter().flat_map(|d| &d.placed.improvements);
    let document = |improvement: &Improvement| ImprovementDocument {
        moves: (improvement.moves.iter())
            .map(|one| MoveDocument {
                workload: one.workload.clone(),
                from: one.from.clone(),
                to: one.to.clone(),
            })
            .collect(),
        gains: (improvement.gains.iter())
            .map(|gain| GainDocument {
                name: gain.tier.to_owned(),
                before: gain.before,
                after: gain.after,
            })
            .collect(),
    };
    improvements.map(document).collect()
}

fn recorded(view: &PlanView<'_>) -> Vec<RecordedDocument> {
    let all = super::recorded::recorded(view).into_iter();
    all.map(|(id, address, what)| RecordedDocument {
        resource: id.clone(),
        address: address.clone(),
        what: what.word().to_owned(),
        changes: what.deltas().iter().map(change).collect(),
    })
    .collect()
}

fn unreachable(plan: &Plan) -> Vec<UnreachableDocument> {
    let document = |(host, left): (&HostName, &infra_plan::Unreachable)| UnreachableDocument {
        host: host.clone(),
        why: left.why.clone(),
        objects: left.objects,
        stay: left.stay.clone(),
        wait: left.wait.clone(),
    };
    plan.unreachable.iter().map(document).collect()
}

/// `diff --json`. `unreachable`: hosts that were not looked at, and why.
#[must_use]
pub fn drift(drifts: &Drifts, unreachable: &BTreeMap<HostName, String>) -> Value {
    let differences = drifts.iter().map(|(id, (address, drift))| {
        let (word, why, deltas) = differs(drift);
        DifferenceDocument {
            resource: id.clone(),
            address: address.clone(),
            drift: word.to_owned(),
            why: why.cloned(),
            changes: deltas.iter().map(change).collect(),
        }
    });
    value(&DriftDocument {
        format_version: FORMAT_VERSION.to_owned(),
        differences: differences.collect(),
        unreachable: unreachable.clone(),
    })
}

/// A document always has a form in JSON: its maps' keys are texts.
fn value(document: &impl Serialize) -> Value {
    serde_json::to_value(document).unwrap_or_default()
}

fn differs(drift: &Drift) -> (&'static str, Option<&String>, &[Delta]) {
    match drift {
        Drift::Missing => ("missing", None, &[]),
        Drift::Taken { what } => ("taken", Some(what), &[]),
        Drift::HalfMade { why } => ("half_made", Some(why), &[]),
        Drift::Changed { deltas } => ("changed", None, deltas),
        Drift::Stray => ("stray", None, &[]),
    }
}

fn host(host: &HostInventory) -> HostDocument {
    HostDocument {
        name: host.declared.name.clone(),
        reserved_cpus: host.reserved_cpus.clone(),
        reserved_by_default: host.reserved_by_default,
    }
}

fn workloads(view: &PlanView<'_>) -> impl Iterator<Item = WorkloadDocument> {
    let placed = view.plan.result.workloads.iter();
    let placed = placed.map(|(address, placement)| (address, Ok(placement)));
    let refused = view.decision.iter().flat_map(|d| &d.placed.refused);
    let refused = refused.map(|r| (&r.workload, Err(&*r.refused)));
    let mut all: Vec<(&Address, Result<&Placement, &[HostRefusal]>)> =
        placed.chain(refused).collect();
    all.sort_by_cached_key(|placed| names::order(placed.0));
    all.into_iter().map(|(address, place)| match place {
        Ok(placement) => workload(view, address, placement),
        Err(refused) => nowhere(view, address, refused),
    })
}

fn workload(view: &PlanView<'_>, address: &Address, placement: &Placement) -> WorkloadDocument {
    let Placement {
        runtime,
        with,
        needs: _,
        host,
        policy,
        cells,
        helpers,
        devices,
        addresses,
        tiers,
    } = placement.clone();
    let tier = |t: infra_api::Tier| TierDocument {
        name: t.name,
        cost: t.cost,
    };
    WorkloadDocument {
        address: address.clone(),
        runtime: Some(runtime),
        with,
        suits: suits(view, address),
        host: Some(host),
        policy: Some(policy),
        cells: cells.into_iter().map(cell).collect(),
        helpers,
        devices,
        tiers: tiers.into_iter().map(tier).collect(),
        addresses,
        reasons: place::reasons(view, address, placement),
        refused: Vec::new(),
    }
}

fn nowhere(view: &PlanView<'_>, address: &Address, refused: &[HostRefusal]) -> WorkloadDocument {
    WorkloadDocument {
        address: address.clone(),
        runtime: None,
        with: Settings::NONE,
        suits: suits(view, address),
        host: None,
        policy: None,
        cells: Vec::new(),
        helpers: BTreeMap::new(),
        devices: Vec::new(),
        tiers: Vec::new(),
        addresses: BTreeMap::new(),
        reasons: Vec::new(),
        refused: refused.iter().map(refusal).collect(),
    }
}

fn suits(view: &PlanView<'_>, address: &Address) -> Option<SuitsDocument> {
    let suited = view.decision?.choices.get(address)?.suited.as_ref()?;
    let candidate = |ranked: &infra_suitability::Ranked| CandidateDocument {
        runtime: ranked.score.variant.runtime,
        with: ranked.score.variant.with,
        score: ranked.score.mean().value(),
        rule: ranked.by.map(str::to_owned),
        penalties: (ranked.score.figured.iter())
            .map(|figured| (figured.need, figured.penalty.value()))
            .collect(),
    };
    let excluded = suited
        .excluded
        .iter()
        .map(|(variant, why)| ExcludedDocument {
            runtime: variant.runtime,
            with: variant.with,
            why: why.clone(),
        });
    let turn = |turn: &infra_suitability::Turn| TurnDocument {
        need: turn.need,
        level: turn.level,
        runtime: turn.runtime,
    };
    Some(SuitsDocument {
        needs: suited.needs,
        candidates: suited.ranking.ranked.iter().map(candidate).collect(),
        excluded: excluded.collect(),
        turns: suited.turns.iter().map(turn).collect(),
    })
}

fn cell(cell: infra_api::Cell) -> CellDocument {
    let infra_api::Cell {
        node,
        cpus,
        vcpus,
        memory_bytes,
        page_size_bytes,
    } = cell;
    let vcpu = |v: infra_api::Vcpu| VcpuDocument {
        id: v.id,
        cpu: v.cpu,
    };
    CellDocument {
        node,
        vcpus: vcpus.into_iter().map(vcpu).collect(),
        memory_bytes,
        page_size_bytes,
        cpus,
    }
}

fn refusal(refusal: &HostRefusal) -> RefusalDocument {
    let (constraint, need, have) = amounts(&refusal.constraint);
    RefusalDocument {
        runtime: refusal.variant.runtime,
        with: refusal.variant.with,
        hosts: refusal.hosts.clone(),
        constraint: constraint.to_owned(),
        need,
        have,
        why: refusal.constraint.to_string(),
    }
}

fn amounts(constraint: &Constraint) -> (&'static str, Option<Amount>, Option<Amount>) {
    let number = |n: &u64| Some(Amount::Number(*n));
    let ids = |ids: &infra_api::IdSet| Some(Amount::Ids(ids.clone()));
    match constraint {
        Constraint::Gate { .. } => ("gate", None, None),
        Constraint::NamedCpus { need, have, .. } => ("named_cpus", ids(need), ids(have)),
        Constraint::DedicatedCpus { need, have, .. } => {
            ("dedicated_cpus", number(need), number(have))
        }
        Constraint::OneL3 { need, have, .. } => ("one_l3", number(need), number(have)),
        Constraint::SharedCpus { need, have, .. } => ("shared_cpus", number(need), number(have)),
        Constraint::Overcommit { need, have } => ("overcommit", number(need), number(have)),
        Constraint::Helpers { need, have } => ("helpers", number(need), number(have)),
        Constraint::Cells { need, have } => ("cells", number(need), number(have)),
        Constraint::Devices { need, have, .. } => ("devices", number(need), number(have)),
        Constraint::Together { .. } => ("together", None, None),
        Constraint::Apart { .. } => ("apart", None, None),
        Constraint::Nowhere { .. } => ("nowhere", None, None),
        Constraint::Elsewhere { .. } => ("elsewhere", None, None),
        Constraint::Drained => ("drained", None, None),
        Constraint::Undecided { .. } => ("undecided", None, None),
        Constraint::NamedNodes { need, have } => ("named_nodes", ids(need), ids(have)),
        Constraint::Memory { need, have, .. } => ("memory", number(need), number(have)),
        Constraint::HugePages { need, have, .. } => ("huge_pages", number(need), number(have)),
    }
}

fn step(plan: &Plan, step: &Step) -> StepDocument {
    let found = match step.before {
        Before::Absent => "absent",
        Before::Partial => "partial",
        Before::Present { .. } => "present",
        Before::Removed => "removed",
    };
    let creates = matches!(step.action, StepAction::Create | StepAction::Replace)
        .then(|| plan.result.resources.get(&step.resource))
        .flatten();
    StepDocument {
        number: step.number,
        resource: step.resource.clone(),
        address: step.address.clone(),
        action: step.action,
        reason: step.reason.clone(),
        found: found.to_owned(),
        changes: step.deltas.iter().map(change).collect(),
        creates: creates.map(|r| (*r.body).clone()),
        needs: step.needs.clone(),
        overlaps: step.overlaps.clone(),
        waits_for: step.waits_for.clone(),
        starts: step.starts.clone(),
        timeout_ms: step.timeout_ms,
        until_ready: step.until_ready,
        ready_ms: step.ready_ms.clone(),
        when: step.when.clone(),
        migration: step.migration.clone(),
    }
}

fn change(delta: &Delta) -> ChangeDocument {
    let Delta {
        path,
        before,
        after,
        impact,
    } = delta.clone();
    ChangeDocument {
        path,
        before,
        after,
        impact,
    }
}

fn outputs(view: &PlanView<'_>) -> BTreeMap<String, OutputDocument> {
    let (before, after) = (&view.prior.outputs, &view.plan.result.outputs);
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = names
        .into_iter()
        .map(|name| (name, before.get(name), after.get(name)))
        .filter(|(_, before, after)| before != after);
    changed
        .map(|(name, before, after)| (name.clone(), output(before, after)))
        .collect()
}

fn output(before: Option<&Output>, after: Option<&Output>) -> OutputDocument {
    OutputDocument {
        sensitive: [before, after].iter().flatten().any(|o| o.digest.is_some()),
        before: before.and_then(|o| o.value.clone()),
        after: after.and_then(|o| o.value.clone()),
    }
}
