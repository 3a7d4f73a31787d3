//! What a plan changes of the state alone, without touching anything outside.

use std::collections::BTreeSet;

use infra_api::{Address, Impact, ResourceId};
use infra_plan::{Delta, Outcome, Plan, Record, diff};

use super::change::{SYMBOLS, head};
use super::deltas::{Row, rows};
use super::page::{BOLD, GREEN, Page, RED, YELLOW, paint};
use super::{PlanView, names};
use crate::decide::Decision;

/// What becomes of what is recorded of an object.
pub(super) enum Recorded {
    /// It is recorded as it was found.
    Changed { deltas: Vec<Delta> },
    /// It is gone, and is forgotten.
    Gone,
    /// It carries our mark and is recorded from now on.
    Found,
}

impl Recorded {
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Changed { .. } => "changed",
            Self::Gone => "gone",
            Self::Found => "found",
        }
    }

    pub(super) fn deltas(&self) -> &[Delta] {
        match self {
            Self::Changed { deltas } => deltas,
            Self::Gone | Self::Found => &[],
        }
    }
}

/// Every object of which only the record changes. Where there are steps too, these are the news: what they leave of
/// the state follows from them.
pub(super) fn recorded<'a>(view: &'a PlanView<'_>) -> Vec<(&'a ResourceId, &'a Address, Recorded)> {
    let (before, after) = (&view.prior.resources, &view.plan.result.resources);
    let refused = |d: &Decision| !d.placed.refused.is_empty();
    if !view.plan.is_empty() || view.decision.is_some_and(refused) {
        return Vec::new();
    }
    let ids: BTreeSet<&ResourceId> = before.keys().chain(after.keys()).collect();
    let one = |id: &'a ResourceId| {
        let (was, is) = (before.get(id), after.get(id));
        let address = &is.or(was)?.address;
        Some((id, address, becomes(was, is)?))
    };
    ids.into_iter().filter_map(one).collect()
}

/// Whether only the state changes, by more than outputs and addresses.
#[must_use]
pub fn of_state_alone(plan: &Plan, prior: &Outcome) -> bool {
    let (before, after) = (&prior.resources, &plan.result.resources);
    let same = |id: &ResourceId| becomes(before.get(id), after.get(id)).is_none();
    plan.is_empty() && !before.keys().chain(after.keys()).all(same)
}

fn becomes(was: Option<&Record>, is: Option<&Record>) -> Option<Recorded> {
    match (was, is) {
        (Some(was), Some(is)) => {
            let deltas = diff(&was.body, &is.body, &|_, _| Impact::InPlace);
            (!deltas.is_empty()).then_some(Recorded::Changed { deltas })
        }
        (Some(_), None) => Some(Recorded::Gone),
        (None, Some(_)) => Some(Recorded::Found),
        (None, None) => None,
    }
}

/// Writes them, by what they belong to.
pub(super) fn page(page: &mut Page, all: &[(&ResourceId, &Address, Recorded)], plan: &Plan) {
    let mut sorted: Vec<_> = all.iter().collect();
    sorted.sort_by_key(|(id, address, _)| (names::order(address), *id));
    let mut owner: Option<&Address> = None;
    for (id, address, what) in sorted {
        if owner != Some(*address) {
            page.blank();
            page.line(&paint(BOLD, address.as_str()));
            owner = Some(*address);
        }
        let (symbol, notes) = match what {
            Recorded::Changed { .. } => (("~", YELLOW), "recorded as it was found"),
            Recorded::Gone if plan.let_go.contains(*id) => (("-", RED), "left, and forgotten"),
            Recorded::Gone => (("-", RED), "gone, and forgotten"),
            Recorded::Found if plan.imports.contains(*id) => (("+", GREEN), "recorded"),
            Recorded::Found => (("+", GREEN), "carries our mark, and is recorded"),
        };
        head(page, 0, symbol, id, notes);
        let changes: Vec<Row> = what
            .deltas()
            .iter()
            .map(|d| Row::of(d, Impact::InPlace))
            .collect();
        rows(page, SYMBOLS + 2, &changes);
    }
}
