//! Steps → changes: one for each object (a replacement may be two steps), whose they are, and how many of each kind.

use std::collections::BTreeMap;

use infra_api::{Address, HostName, ResourceId};
use infra_plan::{Before, Plan, Record, Step, StepAction};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::names;

/// What becomes of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Create,
    Update,
    Restart,
    Replace,
    Delete,
    /// From another host, while it runs.
    Migrate,
}

/// One object's change.
pub(super) struct Change<'a> {
    pub(super) kind: Kind,
    /// Of two steps the second: it is made anew, or restarted.
    pub(super) step: &'a Step,
    /// Of two steps the first: it is removed, or its next start prepared. Else the same.
    pub(super) first: &'a Step,
    /// What it will be; of what goes, what it was.
    pub(super) body: Option<&'a Value>,
    /// It runs a workload: the workload's other objects belong to it.
    pub(super) is_main: bool,
}

/// All changes, by the address they belong to, in the order of addresses; what runs stands before its parts.
pub(super) fn by_owner(plan: &Plan) -> Vec<(&Address, Vec<Change<'_>>)> {
    let mut owners: BTreeMap<_, (&Address, Vec<Change<'_>>)> = BTreeMap::new();
    for change in changes(plan) {
        let address = &change.step.address;
        let owner = owners.entry(names::order(address));
        owner
            .or_insert_with(|| (address, Vec::new()))
            .1
            .push(change);
    }
    let mut owners: Vec<_> = owners.into_values().collect();
    for (_, changes) in &mut owners {
        changes.sort_by(|a, b| place(a).cmp(&place(b)));
    }
    owners
}

/// Daemon by daemon, what runs first.
fn place<'a>(change: &Change<'a>) -> (&'a HostName, &'a str, bool, &'a ResourceId) {
    let id = &change.step.resource;
    (&id.host, &id.provider, !change.is_main, id)
}

fn changes(plan: &Plan) -> Vec<Change<'_>> {
    let mut steps: Vec<&Step> = plan.steps.iter().collect();
    // Those of one object stay in their order.
    steps.sort_by(|a, b| a.resource.cmp(&b.resource));
    let mut records = plan.result.resources.iter().peekable();
    let mut changes: Vec<Change<'_>> = Vec::with_capacity(steps.len());
    for step in steps {
        // Both are in the order of ids.
        while records.next_if(|(id, _)| **id < step.resource).is_some() {}
        let record = records.peek().filter(|(id, _)| **id == step.resource);
        let change = Change {
            kind: kind(step.action),
            step,
            first: step,
            body: body(step, record.map(|(_, record)| *record)),
            is_main: matches!(step.resource.kind.as_str(), "container" | "domain" | "unit"),
        };
        let before = changes.last_mut();
        match before.filter(|known| known.step.resource == step.resource) {
            // Prepared, then restarted.
            Some(known) if known.kind == Kind::Restart => {
                *known = Change {
                    first: known.first,
                    ..change
                };
            }
            // The two steps of a replacement: it goes, then comes.
            Some(known) if known.kind == Kind::Delete => {
                *known = Change {
                    kind: Kind::Replace,
                    first: known.first,
                    ..change
                };
            }
            Some(known) => *known = change,
            None => changes.push(change),
        }
    }
    changes
}

fn kind(action: StepAction) -> Kind {
    match action {
        StepAction::Create => Kind::Create,
        StepAction::Update => Kind::Update,
        StepAction::Prepare | StepAction::Restart => Kind::Restart,
        StepAction::Replace => Kind::Replace,
        StepAction::Delete => Kind::Delete,
        StepAction::Migrate => Kind::Migrate,
    }
}

fn body<'a>(step: &'a Step, record: Option<&'a Record>) -> Option<&'a Value> {
    match (&step.before, record) {
        (_, Some(record)) => Some(&*record.body),
        (Before::Present { body }, None) => Some(body),
        (_, None) => None,
    }
}

/// How many objects change in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// Are made.
    pub create: usize,
    /// Are changed while they run.
    pub update: usize,
    /// Are changed, stopped and started again.
    pub restart: usize,
    /// Are removed and made anew.
    pub replace: usize,
    /// Are removed.
    pub delete: usize,
    /// Move to another host while they run.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(default)]
    pub migrate: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Counts {
    pub(super) fn of(plan: &Plan) -> Self {
        Self::among(&changes(plan))
    }

    pub(super) fn among<'a>(changes: impl IntoIterator<Item = &'a Change<'a>>) -> Self {
        let mut counts = Self::default();
        for change in changes {
            *match change.kind {
                Kind::Create => &mut counts.create,
                Kind::Update => &mut counts.update,
                Kind::Restart => &mut counts.restart,
                Kind::Replace => &mut counts.replace,
                Kind::Delete => &mut counts.delete,
                Kind::Migrate => &mut counts.migrate,
            } += 1;
        }
        counts
    }

    /// `5 to create, 1 to change in place, 0 to delete`: what is made and what goes is always said.
    pub(super) fn words(self) -> String {
        let Self {
            create,
            update,
            restart,
            replace,
            delete,
            migrate,
        } = self;
        let words = [
            (create, "to create", true),
            (update, "to change in place", false),
            (migrate, "to move live", false),
            (restart, "to restart", false),
            (replace, "to replace", false),
            (delete, "to delete", true),
        ];
        let said: Vec<String> = words
            .iter()
            .filter(|(n, _, always)| *n > 0 || *always)
            .map(|(n, what, _)| format!("{n} {what}"))
            .collect();
        said.join(", ")
    }
}
