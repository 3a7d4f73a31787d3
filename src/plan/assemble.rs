//! Desired + observed + state → plan: which objects change, how, and why. The order is `order`'s.

mod draft;
mod guard;
mod left;
mod migrate;
mod prepare;
mod ready;
mod record;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};

use infra_api::{
    Address, Edit, Impact, MigrationOptions, Observed, Project, Resource, ResourceId, SECRET,
};
use serde_json::Value;

use self::draft::drafts;
use self::left::keep_found;
pub use self::migrate::Migrates;
use self::ready::ready_ms;
use self::record::{depended_on, record};
use self::verdict::{Fate, Verdict};
use crate::order;
use crate::{
    Basis, Before, Claims, Cycle, Delta, FORMAT_VERSION, Outcome, Plan, Reason, Record, Rolling,
    Step, StepAction, When, diff, get,
};

/// One object that is wanted.
#[derive(Clone, Debug)]
pub struct Desired {
    pub resource: Resource,
    /// `lifecycle { prevent_destroy = true }` of its declaration.
    pub prevent_destroy: bool,
    /// `lifecycle { create_before_destroy = true }`: where it is replaced the new one runs before the old one is stopped.
    pub create_before_destroy: bool,
    pub timeouts: Timeouts,
    /// Whether making or starting it is done only when it is ready.
    pub until_ready: bool,
    /// When it may be stopped where it runs; absent: at any time.
    pub stopped_when: Option<When>,
    /// Attributes (paths in the body) that are left as they are found; the empty path is the whole body.
    pub ignore_changes: Vec<Vec<String>>,
    /// Where it runs on another host it moves without being stopped, if it can.
    pub migration: Option<MigrationOptions>,
}

/// How long changes may take, in milliseconds; absent: as long as the apply lets them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// It is made, or made anew.
    pub create_ms: Option<u64>,
    /// It is changed in place or by a restart.
    pub update_ms: Option<u64>,
    /// It is removed.
    pub delete_ms: Option<u64>,
    /// It becomes ready.
    pub ready_ms: Option<u64>,
}

impl Timeouts {
    pub(crate) fn of(self, action: StepAction) -> Option<u64> {
        match action {
            StepAction::Create | StepAction::Replace => self.create_ms,
            StepAction::Update
            | StepAction::Prepare
            | StepAction::Restart
            | StepAction::Migrate => self.update_ms,
            StepAction::Delete => self.delete_ms,
        }
    }
}

/// All a plan follows from.
pub struct Inputs<'a> {
    pub project: &'a Project,
    pub basis: Basis,
    /// What the state holds.
    pub state: &'a Outcome,
    pub desired: Vec<Desired>,
    /// What was found: everything desired, everything in the state, everything that carries our mark. Secrets are
    /// masked.
    pub observed: &'a BTreeMap<ResourceId, Observed>,
    /// Declared order between workloads: the first waits until the second is ready.
    pub depends_on: &'a [(ResourceId, ResourceId)],
    /// Instances that change in batches.
    pub rolling: &'a [Rolling],
    pub impact: &'a dyn Fn(&ResourceId, &Edit<'_>) -> Impact,
    /// What an object with this body holds of its host; `true`: as wanted, `false`: as found.
    pub claims: &'a dyn Fn(&ResourceId, &Address, &Value, bool) -> Claims,
    /// Whether such an object can be made while the one is there whose place it takes.
    pub swaps: &'a dyn Fn(&ResourceId) -> bool,
    /// What is found of what runs (the first) once its next start is as wanted (the second); none: nobody can have both.
    pub prepared: &'a dyn Fn(&ResourceId, &Value, &Value) -> Option<Value>,
    /// Where the host of what runs (the first) finds the host on which it shall become the second; or all that keeps it
    /// from moving there while it runs.
    pub migrates: &'a Migrates<'a>,
    /// Objects to make anew although nothing asks for it.
    pub replace: &'a BTreeSet<ResourceId>,
    /// Placements and outputs as they will be.
    pub result: Outcome,
    /// Digests of the secrets the configuration holds.
    pub secrets: Vec<String>,
    /// Everything goes.
    pub destroy: bool,
    /// Objects that are left as they are, and as they are recorded.
    pub left: &'a BTreeSet<ResourceId>,
    /// Found without a mark and ours, now or before: what the daemon knows each by.
    pub imported: &'a BTreeMap<ResourceId, String>,
    /// Objects an apply was cut off at.
    pub in_doubt: &'a BTreeSet<ResourceId>,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The daemon's name for it is taken by an object that is not ours.
    NameTaken {
        id: ResourceId,
        address: Address,
        what: String,
    },
    /// It would be destroyed and must not be.
    PreventDestroy {
        id: ResourceId,
        address: Address,
        reason: Reason,
    },
    /// It would be removed under an object that is left as it is.
    InUse {
        id: ResourceId,
        address: Address,
        user: ResourceId,
        user_address: Address,
    },
    /// Steps wait for each other.
    Cycle(Cycle),
}

/// Makes the plan, or says everything that stands against it.
///
/// # Errors
/// All refusals, in the order of their objects.
pub fn assemble(mut inputs: Inputs<'_>) -> Result<Plan, Vec<Refusal>> {
    let mut desired = std::mem::take(&mut inputs.desired);
    let secrets = std::mem::take(&mut inputs.secrets);
    let mut result = std::mem::take(&mut inputs.result);
    desired.sort_by(|a, b| a.resource.id.cmp(&b.resource.id));
    let mut assembly = Assembly {
        verdicts: BTreeMap::new(),
        refusals: Vec::new(),
        inputs: &inputs,
    };
    // All at once: a map that grows by what is last leaves half of its room empty.
    let judged = desired.into_iter().filter_map(|w| assembly.want(w));
    let judged: BTreeMap<ResourceId, Verdict<'_>> = judged.collect();
    assembly.verdicts = judged;
    assembly.unwanted();
    assembly.migrations();
    assembly.spread_replacements();
    assembly.guard();
    assembly.leave_standing();
    if !assembly.refusals.is_empty() {
        return Err(assembly.refusals);
    }
    let mut verdicts = std::mem::take(&mut assembly.verdicts);
    verdicts.values_mut().for_each(begin_as_declared);
    let steps = ordered(&verdicts, &inputs)?;
    let secrets = needed(&steps, &verdicts, secrets);
    let mut depended_on = depended_on(inputs.depends_on);
    result.resources = verdicts
        .into_iter()
        .filter_map(|(id, v)| {
            let stays = matches!(v.fate, Fate::Keep | Fate::Update(_) | Fate::Restart(_));
            let imported = inputs.imported.get(&id).filter(|_| stays);
            let record = record(v.wanted?, depended_on.remove(&id), imported.cloned());
            Some((id, record))
        })
        .collect();
    guard::keep_recorded(&mut result, inputs.state, inputs.left);
    let known = |id: &&ResourceId| inputs.state.resources.contains_key(*id);
    let imports = inputs.imported.keys().filter(|id| !known(id)).cloned();
    Ok(Plan {
        format_version: FORMAT_VERSION.to_owned(),
        project: inputs.project.clone(),
        basis: inputs.basis,
        result,
        steps,
        secrets,
        daemons: BTreeMap::new(),
        left_out: BTreeSet::new(),
        unreachable: BTreeMap::new(),
        moved: BTreeMap::new(),
        let_go: BTreeSet::new(),
        imports: imports.collect(),
    })
}

/// One step or two of each change, in an order that all of them can be done in.
fn ordered(
    verdicts: &BTreeMap<ResourceId, Verdict<'_>>,
    inputs: &Inputs<'_>,
) -> Result<Vec<Step>, Vec<Refusal>> {
    let stood_on = stood_on(verdicts);
    let old_edges = |id: &ResourceId| {
        let record = inputs.state.resources.get(id)?;
        Some(old_edges(record, verdicts.get(id)))
    };
    let edges = order::Edges {
        after: &|id| {
            verdicts
                .get(id)
                .and_then(|v| v.wanted.as_ref())
                .map_or(&[][..], |w| &w.resource.after)
        },
        before: &old_edges,
        depends_on: inputs.depends_on,
        rolling: inputs.rolling,
        claims: inputs.claims,
        stays: &|id| {
            let protected = |v: &Verdict<'_>| v.wanted.as_ref().is_some_and(|w| w.prevent_destroy);
            stood_on.contains(id) || verdicts.get(id).is_some_and(protected)
        },
    };
    let steps = order::order(drafts(verdicts, inputs), &edges);
    let mut steps = steps.map_err(|cycle| vec![Refusal::Cycle(cycle)])?;
    for step in &mut steps {
        step.ready_ms = ready_ms(step, verdicts);
    }
    let prepared = |step: &Step| {
        let Before::Present { body } = &step.before else {
            return None;
        };
        let wanted = verdicts.get(&step.resource)?.wanted.as_ref()?;
        (inputs.prepared)(&step.resource, body, &wanted.resource.body)
    };
    Ok(prepare::prepare(steps, &prepared))
}

/// Digests of all that must be filled in.
fn needed(
    steps: &[Step],
    verdicts: &BTreeMap<ResourceId, Verdict<'_>>,
    known: Vec<String>,
) -> Vec<String> {
    let mut secrets: BTreeSet<String> = known.into_iter().collect();
    let filled = steps.iter().filter(|s| s.action != StepAction::Delete);
    for wanted in filled.filter_map(|s| verdicts[&s.resource].wanted.as_ref()) {
        digests(&wanted.resource.body, &mut secrets);
    }
    secrets.into_iter().collect()
}

/// What is made anew is started, also where its whole body is left as it was found.
fn begin_as_declared(verdict: &mut Verdict<'_>) {
    let (Fate::Replace(_), Some(state), Some(wanted)) =
        (&verdict.fate, &verdict.state, &mut verdict.wanted)
    else {
        return;
    };
    wanted.resource.body["state"] = state.clone();
}

/// Objects on which others will stand.
fn stood_on(verdicts: &BTreeMap<ResourceId, Verdict<'_>>) -> BTreeSet<ResourceId> {
    let wanted = verdicts.values().filter_map(|v| v.wanted.as_ref());
    wanted.flat_map(|w| w.resource.after.clone()).collect()
}

/// Those of a body that is made or changed: where it is left as found, they may be of values nobody has any more, and
/// that must be known before the first step.
fn digests(body: &Value, into: &mut BTreeSet<String>) {
    match body {
        Value::Object(members) => {
            into.extend(
                members
                    .get(SECRET)
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            );
            members.values().for_each(|value| digests(value, into));
        }
        Value::Array(items) => items.iter().for_each(|item| digests(item, into)),
        _ => {}
    }
}

/// What an object is removed before: what it stood on, and what it was declared to depend on. The second is no
/// matter where it is only changed: by that it lets go of nothing, and `depends_on` orders it by today's words.
fn old_edges(record: &Record, verdict: Option<&Verdict<'_>>) -> Vec<ResourceId> {
    let removed = verdict.is_some_and(|v| matches!(v.fate, Fate::Delete(_) | Fate::Replace(_)));
    let counts = |id: &&ResourceId| removed || !runs(id);
    record.after.iter().filter(counts).cloned().collect()
}

/// Whether it is what a workload runs as. Nothing stands on these: a record names one only where `depends_on` did.
fn runs(id: &ResourceId) -> bool {
    matches!(id.kind.as_str(), "container" | "domain" | "unit")
}

struct Assembly<'a> {
    verdicts: BTreeMap<ResourceId, Verdict<'a>>,
    refusals: Vec<Refusal>,
    inputs: &'a Inputs<'a>,
}

impl<'a> Assembly<'a> {
    /// Judges one wanted object by what was found in its place.
    fn want(&mut self, wanted: Desired) -> Option<(ResourceId, Verdict<'a>)> {
        let id = wanted.resource.id.clone();
        let address = wanted.resource.address.clone();
        let found = self.inputs.observed.get(&id);
        let verdict = match found {
            None | Some(Observed::Absent) => self.absent(wanted),
            Some(Observed::Partial { why, .. }) => Verdict {
                address,
                state: None,
                found,
                fate: Fate::Create(Reason::HalfMade { why: why.clone() }),
                deltas: Vec::new(),
                wanted: Some(wanted),
            },
            Some(Observed::Present { body, .. }) => Verdict {
                found,
                ..self.present(wanted, body)
            },
            Some(Observed::Foreign { what, .. }) => {
                self.refusals.push(Refusal::NameTaken {
                    id,
                    address,
                    what: what.clone(),
                });
                return None;
            }
        };
        Some((id, verdict))
    }

    fn absent(&self, wanted: Desired) -> Verdict<'a> {
        let known = self
            .inputs
            .state
            .resources
            .contains_key(&wanted.resource.id);
        Verdict {
            address: wanted.resource.address.clone(),
            state: None,
            found: None,
            fate: Fate::Create(if known { Reason::Vanished } else { Reason::New }),
            deltas: Vec::new(),
            wanted: Some(wanted),
        }
    }

    fn present(&self, mut wanted: Desired, found: &Value) -> Verdict<'a> {
        let state = wanted.resource.body.get("state").cloned();
        for path in &wanted.ignore_changes {
            keep_found(&mut wanted.resource.body, Some(found), path);
        }
        let id = wanted.resource.id.clone();
        let body = &wanted.resource.body;
        let deltas = diff(found, body, &|path, removed| {
            let edit = Edit {
                path,
                removed,
                before: found,
                after: body,
            };
            (self.inputs.impact)(&id, &edit)
        });
        let fate = if self.inputs.replace.contains(&id) {
            Fate::Replace(Reason::Replaced {
                attributes: Vec::new(),
            })
        } else {
            self.fate(&wanted, found, &deltas)
        };
        Verdict {
            address: wanted.resource.address.clone(),
            state,
            found: None,
            fate,
            deltas,
            wanted: Some(wanted),
        }
    }

    fn fate(&self, wanted: &Desired, found: &Value, deltas: &[Delta]) -> Fate {
        match deltas.iter().map(|d| d.impact).max() {
            None if wanted.until_ready && self.inputs.is_unready(&wanted.resource.id) => {
                Fate::Update(Reason::NotReady)
            }
            None => Fate::Keep,
            Some(Impact::Replace) => Fate::Replace(Reason::Replaced {
                attributes: forcing(deltas),
            }),
            Some(Impact::Restart) => Fate::Restart(self.cause(wanted, found, deltas)),
            Some(Impact::InPlace) => Fate::Update(self.cause(wanted, found, deltas)),
        }
    }

    /// Whether the declaration moved, the world, or both: the state knows what it was.
    fn cause(&self, wanted: &Desired, found: &Value, deltas: &[Delta]) -> Reason {
        let Some(record) = self.inputs.state.resources.get(&wanted.resource.id) else {
            // Nobody knows what it was: what is declared is what counts.
            return Reason::Changed;
        };
        let differs = |body: &Value| {
            deltas
                .iter()
                .any(|d| get(body, &d.path) != get(&record.body, &d.path))
        };
        match (differs(&wanted.resource.body), differs(found)) {
            (true, true) => Reason::ChangedAndDrift,
            (false, true) => Reason::Drift,
            _ => Reason::Changed,
        }
    }

    /// What is there and not wanted: ours by the state or by its mark.
    fn unwanted(&mut self) {
        for (id, observed) in self.inputs.observed {
            if self.verdicts.contains_key(id) || self.inputs.left.contains(id) {
                continue;
            }
            let address = match observed {
                Observed::Present { address, .. } | Observed::Partial { address, .. } => address,
                // Gone already, or another's by now: nothing to do but forget it.
                Observed::Absent | Observed::Foreign { .. } => continue,
            };
            let reason = match (
                self.inputs.destroy,
                self.inputs.state.resources.contains_key(id),
            ) {
                (true, _) => Reason::Destroy,
                (false, true) => Reason::Undeclared,
                (false, false) => Reason::Stray,
            };
            let verdict = Verdict {
                address: address.clone(),
                wanted: None,
                state: None,
                found: Some(observed),
                fate: Fate::Delete(reason),
                deltas: Vec::new(),
            };
            self.verdicts.insert(id.clone(), verdict);
        }
    }

    /// What stands on an object that is made anew is made anew with it: neither a network nor a volume can be
    /// removed under its user.
    fn spread_replacements(&mut self) {
        let mut users: BTreeMap<ResourceId, Vec<ResourceId>> = BTreeMap::new();
        for (id, verdict) in &self.verdicts {
            for needed in verdict.wanted.iter().flat_map(|w| &w.resource.after) {
                users.entry(needed.clone()).or_default().push(id.clone());
            }
        }
        let replaced = |v: &Verdict<'_>| matches!(v.fate, Fate::Replace(_));
        let mut queue: Vec<ResourceId> = self
            .verdicts
            .iter()
            .filter(|(_, v)| replaced(v))
            .map(|(id, _)| id.clone())
            .collect();
        while let Some(id) = queue.pop() {
            for user in users.get(&id).into_iter().flatten() {
                let Some(verdict) = self.verdicts.get_mut(user) else {
                    continue;
                };
                // What is half made holds on to it already.
                let half_made = matches!(
                    (verdict.found, &verdict.fate),
                    (Some(Observed::Partial { .. }), Fate::Create(_))
                );
                let whole = matches!(
                    verdict.fate,
                    Fate::Keep | Fate::Update(_) | Fate::Restart(_)
                );
                if half_made || whole {
                    verdict.fate = Fate::Replace(Reason::ReplacedWith {
                        resource: id.to_string(),
                    });
                    queue.push(user.clone());
                }
            }
        }
    }
}

fn forcing(deltas: &[Delta]) -> Vec<String> {
    deltas
        .iter()
        .filter(|d| d.impact == Impact::Replace)
        .map(|d| d.path.join("."))
        .collect()
}
