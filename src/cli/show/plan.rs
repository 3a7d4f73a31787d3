//! The plan for a person: what runs where and why, what changes, how many of each; and what has drifted.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::{Address, Impact, ResourceId, SECRET};
use infra_plan::{Outcome, Output};
use serde_json::{Value, json};

use super::change::{SYMBOLS, change, head};
use super::changes::{Change, Counts, by_owner};
use super::deltas::{Row, rows};
use super::page::{BOLD, GREEN, PLAIN, Page, RED, WIDTH, YELLOW, count, paint};
use super::workloads::workloads;
use super::{Drift, Drifts, PlanView};
use super::{names, place, recorded, unreachable};
use crate::placing::Improvement;

/// The plan for a person.
#[must_use]
pub fn plan(view: &PlanView<'_>) -> String {
    let mut page = Page::default();
    workloads(&mut page, view);
    let recorded = recorded::recorded(view);
    recorded::page(&mut page, &recorded, view.plan);
    let owners = by_owner(view.plan);
    for (address, changes) in &owners {
        page.blank();
        page.line(&paint(BOLD, address.as_str()));
        owner(&mut page, view, changes);
    }
    let counts = Counts::among(owners.iter().flat_map(|(_, changes)| changes));
    let outputs = outputs(&view.prior.outputs, &view.plan.result);
    if !outputs.is_empty() {
        page.blank();
        page.line(&paint(BOLD, "Outputs"));
        rows(&mut page, SYMBOLS, &outputs);
    }
    page.blank();
    rebalanced(&mut page, view);
    moved(&mut page, view);
    left_out(&mut page, view);
    let state = !recorded.is_empty() || moves(view);
    ending(&mut page, view, counts, !outputs.is_empty(), state);
    page.finish()
}

fn moves(view: &PlanView<'_>) -> bool {
    !view.plan.moved.is_empty() || !view.plan.let_go.is_empty() || !view.plan.imports.is_empty()
}

/// What is gained by each move, where moves were asked for.
fn rebalanced(page: &mut Page, view: &PlanView<'_>) {
    let improvements = view.decision.map_or(&[][..], |d| &d.placed.improvements);
    for Improvement { moves, gains } in improvements {
        let moves = moves.iter().map(|one| {
            let name = names::short(&one.workload);
            match one.from == one.to {
                true => format!("{name} on {}", one.from),
                false => format!("{name} from {} to {}", one.from, one.to),
            }
        });
        let moves: Vec<String> = moves.collect();
        let gains: Vec<String> = gains.iter().map(place::gain).collect();
        let text = format!("{}: {}", moves.join(", "), gains.join(", "));
        page.folded("Rebalanced: ", PLAIN, &text);
    }
    if !improvements.is_empty() {
        page.blank();
    }
}

/// What is declared elsewhere now keeps its names and marks; what is let go of keeps everything.
fn moved(page: &mut Page, view: &PlanView<'_>) {
    for (now, was) in &view.plan.moved {
        page.folded(
            "Moved: ",
            PLAIN,
            &format!("{was} is {now} now, and keeps its names"),
        );
    }
    for id in &view.plan.let_go {
        page.folded(
            "Let go: ",
            PLAIN,
            &format!("{id} stays as it is, and is no longer ours to change"),
        );
    }
    for id in &view.plan.imports {
        let record = view.plan.result.resources.get(id);
        let address = record.map_or("", |record| record.address.as_str());
        page.folded(
            "Imported: ",
            PLAIN,
            &format!("{id} is {address} now; somebody else has made it"),
        );
    }
    if moves(view) {
        page.blank();
    }
}

fn left_out(page: &mut Page, view: &PlanView<'_>) {
    let said = unreachable::said(view.plan);
    let left = view.plan.left_out.iter().filter(|a| !said.contains(a));
    let words = unreachable::listed(left);
    if !words.is_empty() {
        page.folded("Left out, as it is: ", PLAIN, &words);
    }
    unreachable::unreachable(page, view.plan);
}

/// A workload's own objects stand under what runs it.
fn owner(page: &mut Page, view: &PlanView<'_>, changes: &[Change<'_>]) {
    let mut main = None;
    for one in changes {
        let id = &one.step.resource;
        let daemon = Some((&id.host, &id.provider));
        if one.is_main {
            main = daemon;
        }
        let part = !one.is_main && main == daemon;
        let indent = if part { SYMBOLS } else { 0 };
        change(page, indent, one, view.plan, view.concise);
    }
}

fn ending(page: &mut Page, view: &PlanView<'_>, counts: Counts, outputs: bool, recorded: bool) {
    match (view.plan.is_empty(), outputs) {
        (true, _) if recorded => page.line("Only the state changes: no object is touched."),
        (true, false) if !view.plan.unreachable.is_empty() => {
            page.line(&paint(GREEN, "No changes in what was looked at."));
        }
        (true, false) if !view.plan.left_out.is_empty() => {
            page.line(&paint(GREEN, "No changes in what was asked for."));
        }
        (true, false) => page.line(&paint(GREEN, "No changes. The world is as declared.")),
        (true, true) => page.line("Only outputs change: no object is touched."),
        (false, _) => {
            let counts = counts.words();
            let whole = format!("{counts}. Nothing has been changed.");
            if whole.chars().count() <= WIDTH {
                page.line(&whole);
            } else {
                page.line(&format!("{counts}."));
                page.line("Nothing has been changed.");
            }
        }
    }
}

fn outputs(prior: &BTreeMap<String, Output>, result: &Outcome) -> Vec<Row> {
    let names: BTreeSet<&String> = prior.keys().chain(result.outputs.keys()).collect();
    let changed = names.into_iter().filter_map(|name| {
        let (before, after) = (prior.get(name), result.outputs.get(name));
        (before != after).then(|| Row::plain(name, before.map(shown), after.map(shown)))
    });
    changed.collect()
}

fn shown(output: &Output) -> Value {
    match output {
        Output {
            digest: Some(digest),
            ..
        } => json!({ SECRET: digest }),
        Output {
            value,
            digest: None,
        } => value.clone().unwrap_or(Value::Null),
    }
}

/// What the world has become since the last apply. `whole`: all of it was looked at.
#[must_use]
pub fn drift(drifts: &Drifts, whole: bool) -> String {
    let mut page = Page::default();
    for (address, drifts) in drifts_by_owner(drifts) {
        page.blank();
        page.line(&paint(BOLD, address.as_str()));
        for (id, drift) in drifts {
            drifted(&mut page, id, drift);
        }
    }
    page.blank();
    mending(&mut page, drifts, whole);
    page.finish()
}

/// What to do about it.
fn mending(page: &mut Page, drifts: &Drifts, whole: bool) {
    let taken = |(_, drift): &&(Address, Drift)| matches!(drift, Drift::Taken { what: _ });
    let taken = drifts.values().filter(taken).count();
    let (differ, mends) = match drifts.len() {
        0 => {
            let none = match whole {
                true => "No differences. The world is as it was left.",
                false => "No differences in what was looked at.",
            };
            page.line(&paint(GREEN, none));
            return;
        }
        1 => ("differs", "it"),
        _ => ("differ", "them"),
    };
    let what = count(drifts.len(), "object");
    page.line(&format!(
        "{what} {differ} from the state. `infra apply` mends {mends}."
    ));
    if taken > 0 {
        page.line("A name that is taken must be freed first: what is not ours is not touched.");
    }
}

type Owned<'a> = Vec<(&'a ResourceId, &'a Drift)>;

fn drifts_by_owner(drifts: &Drifts) -> Vec<(&Address, Owned<'_>)> {
    let mut owners: BTreeMap<_, (&Address, Owned<'_>)> = BTreeMap::new();
    for (id, (address, drift)) in drifts {
        let owner = owners.entry(names::order(address));
        let (_, owned) = owner.or_insert_with(|| (address, Vec::new()));
        owned.push((id, drift));
    }
    owners.into_values().collect()
}

fn drifted(page: &mut Page, id: &ResourceId, drift: &Drift) {
    let (symbol, notes) = match drift {
        Drift::Missing => (("-", RED), "we made it and it is gone".to_owned()),
        Drift::Taken { what } => (
            ("!", RED),
            format!("its name is taken by {}", names::clean(what)),
        ),
        Drift::HalfMade { why } => (("!", YELLOW), format!("half made: {}", names::clean(why))),
        Drift::Changed { deltas: _ } => (("~", YELLOW), "changed behind our back".to_owned()),
        Drift::Stray => (
            ("+", YELLOW),
            "carries our mark, and is not in the state".to_owned(),
        ),
    };
    head(page, 0, symbol, id, &notes);
    if let Drift::Changed { deltas } = drift {
        // What mending takes is the plan's to say.
        let shown: Vec<Row> = deltas.iter().map(|d| Row::of(d, Impact::InPlace)).collect();
        rows(page, SYMBOLS + 2, &shown);
    }
}
