//! Verdicts → drafts of steps: one for each change, two for a replacement of what must be gone before it is made.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::{Impact, Observed, ResourceId};

use super::{Fate, Inputs, Timeouts, Verdict, runs};
use crate::order::Draft;
use crate::{Before, Reason, Starts, StepAction, When};

pub(super) fn drafts<'a>(
    verdicts: &'a BTreeMap<ResourceId, Verdict<'_>>,
    inputs: &Inputs<'_>,
) -> Vec<Draft<'a>> {
    let mut drafts = Vec::new();
    for (id, verdict) in verdicts {
        let imported = inputs.imported.get(id);
        let draft = |action, reason: &Reason| Draft {
            imported: imported.cloned(),
            unready: inputs.is_unready(id),
            ..draft(id, verdict, action, reason)
        };
        match &verdict.fate {
            Fate::Keep => {}
            Fate::Create(reason) => drafts.push(draft(StepAction::Create, reason)),
            Fate::Update(reason) => drafts.push(draft(StepAction::Update, reason)),
            Fate::Restart(reason) => drafts.push(draft(StepAction::Restart, reason)),
            Fate::Delete(reason) => drafts.push(draft(StepAction::Delete, reason)),
            Fate::Migrate(reason, migration) => drafts.push(Draft {
                migration: Some(migration.clone()),
                ..draft(StepAction::Migrate, reason)
            }),
            Fate::Replace(reason) if is_swapped(id, verdict, verdicts, inputs) => {
                drafts.push(Draft {
                    starts: starts(id, verdict, inputs),
                    ..draft(StepAction::Replace, reason)
                });
            }
            Fate::Replace(reason) => {
                drafts.push(Draft {
                    deltas: Vec::new(),
                    ..draft(StepAction::Delete, reason)
                });
                drafts.push(Draft {
                    before: Before::Removed,
                    imported: None,
                    ..draft(StepAction::Create, reason)
                });
            }
        }
    }
    drafts
}

fn draft<'a>(
    id: &ResourceId,
    verdict: &'a Verdict<'_>,
    action: StepAction,
    reason: &Reason,
) -> Draft<'a> {
    let wanted = verdict.wanted.as_ref().map(|w| &w.resource);
    Draft {
        id: id.clone(),
        address: verdict.address.clone(),
        action,
        before: verdict.before(),
        imported: None,
        after: wanted
            .filter(|_| action != StepAction::Delete)
            .map(|w| &*w.body),
        source: wanted
            .filter(|_| action == StepAction::Create)
            .and_then(|w| w.source.clone()),
        reason: reason.clone(),
        deltas: verdict.deltas.clone(),
        starts: None,
        timeouts: verdict
            .wanted
            .as_ref()
            .map_or_else(Timeouts::default, |w| w.timeouts),
        until_ready: verdict.wanted.as_ref().is_some_and(|w| w.until_ready),
        unready: false,
        when: when(verdict),
        migration: None,
    }
}

/// Who does not run may be stopped at any time, and so may what goes for good.
fn when(verdict: &Verdict<'_>) -> Option<When> {
    let Some(Observed::Present { body, .. }) = verdict.found else {
        return None;
    };
    let wanted = verdict.wanted.as_ref()?;
    wanted
        .stopped_when
        .clone()
        .filter(|_| body["state"] == "running")
}

/// Whether the new one can be made beside the old one. What the old one stands on must stay for that; and where nothing
/// of it changes, nobody could tell the two apart after an apply that was cut off.
fn is_swapped(
    id: &ResourceId,
    verdict: &Verdict<'_>,
    verdicts: &BTreeMap<ResourceId, Verdict<'_>>,
    inputs: &Inputs<'_>,
) -> bool {
    let is_replaced = |id: &ResourceId| {
        let verdict = verdicts.get(id);
        verdict.is_some_and(|v| matches!(v.fate, Fate::Replace(_)))
    };
    let (stood_on, stands_on) = under(id, verdict, inputs);
    (inputs.swaps)(id)
        && matches!(verdict.found, Some(Observed::Present { .. }))
        && verdict.deltas.iter().any(|d| d.impact == Impact::Replace)
        && !stood_on
            .iter()
            .chain(&stands_on)
            .any(|id| !runs(id) && is_replaced(id))
}

/// What it stood on and what it will.
fn under(
    id: &ResourceId,
    verdict: &Verdict<'_>,
    inputs: &Inputs<'_>,
) -> (BTreeSet<ResourceId>, BTreeSet<ResourceId>) {
    let wanted = verdict.wanted.as_ref().map(|w| &w.resource.after);
    let wanted: BTreeSet<ResourceId> = wanted.into_iter().flatten().cloned().collect();
    let record = inputs.state.resources.get(id);
    let stood_on = record.map_or_else(|| wanted.clone(), |r| r.after.iter().cloned().collect());
    (stood_on, wanted)
}

/// What both would have keeps the new one from running beside the old one: a port, an address, a volume that both write
/// to.
fn starts(id: &ResourceId, verdict: &Verdict<'_>, inputs: &Inputs<'_>) -> Option<Starts> {
    let wanted = verdict
        .wanted
        .as_ref()
        .filter(|w| w.create_before_destroy)?;
    let Some(Observed::Present { body: found, .. }) = inputs.observed.get(id) else {
        return None;
    };
    let address = &verdict.address;
    let held = (inputs.claims)(id, address, found, false).exclusive;
    let taken = (inputs.claims)(id, address, &wanted.resource.body, true).exclusive;
    let (stood_on, stands_on) = under(id, verdict, inputs);
    let shared = stood_on.intersection(&stands_on);
    let volumes = shared.filter(|id| id.kind == "volume");
    let both: Vec<String> = held
        .intersection(&taken)
        .cloned()
        .chain(volumes.map(|id| format!("volume {}", id.name)))
        .collect();
    Some(match both.is_empty() {
        true => Starts::First,
        false => Starts::Second { both },
    })
}
