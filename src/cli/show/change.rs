//! One change on the page: what happens to which object and why, then its attributes.

use std::time::Duration;

use anstyle::Style;
use infra_api::target::{GuestReady, Machine};
use infra_api::{IdSet, Impact, ResourceId};
use infra_plan::{Before, Plan, Reason, Starts, Step, StepAction, When};
use serde::Deserialize;
use serde_json::Value;

use super::about::{about, holds_data};
use super::changes::{Change, Kind};
use super::deltas::{Row, rows};
use super::names;
use super::page::{BOLD, DIM, GREEN, MAGENTA, PLAIN, Page, RED, WIDTH, YELLOW, pad, paint, width};
use crate::lower::claims;

/// Columns before an object's id: `-/+ `.
pub(super) const SYMBOLS: usize = 4;

/// Writes one change, `indent` columns in; a concise one without attributes.
pub(super) fn change(
    page: &mut Page,
    indent: usize,
    change: &Change<'_>,
    plan: &Plan,
    concise: bool,
) {
    let (symbol, style) = symbol(change.kind);
    let notes = notes(change);
    head(page, indent, (symbol, style), &change.step.resource, &notes);
    let inner = indent + SYMBOLS + 2;
    if loses_data(change) {
        page.folded(&" ".repeat(inner), RED, "what was written to it is lost");
    }
    if let Some(text) = turn(change, plan) {
        page.folded(&" ".repeat(inner), DIM, &text);
    }
    if let Some(when) = change.first.when.as_ref().or(change.step.when.as_ref()) {
        page.folded(&" ".repeat(inner), YELLOW, &not_before(when));
    }
    if change.first.action == StepAction::Prepare {
        let text =
            "its next start, by whomever, is made as wanted now; until then it runs as it is";
        page.folded(&" ".repeat(inner), DIM, text);
    }
    if let Some(starts) = &change.step.starts {
        page.folded(&" ".repeat(inner), DIM, &which_first(starts));
    }
    if change.step.until_ready {
        page.folded(&" ".repeat(inner), DIM, &until(change));
    }
    for releaser in &change.step.overlaps {
        let text = overlap(change.step, releaser, plan);
        page.folded(&" ".repeat(inner), YELLOW, &text);
    }
    match change.kind {
        _ if concise => {}
        Kind::Create => made(page, inner, change),
        Kind::Update => changed(page, inner, change, Impact::InPlace),
        Kind::Restart => changed(page, inner, change, Impact::Restart),
        Kind::Replace => changed(page, inner, change, Impact::Replace),
        Kind::Migrate => changed(page, inner, change, Impact::InPlace),
        Kind::Delete => {}
    }
}

/// Symbol and id, and what is to be said of it: beside it, or below where that is too long.
pub(super) fn head(
    page: &mut Page,
    indent: usize,
    symbol: (&str, Style),
    id: &ResourceId,
    notes: &str,
) {
    let (symbol, style) = symbol;
    let gutter = " ".repeat(indent + SYMBOLS - 1 - symbol.len());
    let line = format!(
        "{gutter}{} {}",
        paint(style, symbol),
        paint(BOLD, &id.to_string())
    );
    let beside = format!("{line}  {}", paint(DIM, notes));
    if notes.is_empty() || width(&beside) > WIDTH {
        page.line(&line);
        if !notes.is_empty() {
            page.folded(&" ".repeat(indent + SYMBOLS + 2), DIM, notes);
        }
    } else {
        page.line(&beside);
    }
}

fn symbol(kind: Kind) -> (&'static str, Style) {
    match kind {
        Kind::Create => ("+", GREEN),
        Kind::Update => ("~", YELLOW),
        Kind::Restart => ("!", MAGENTA),
        Kind::Replace => ("-/+", RED),
        Kind::Delete => ("-", RED),
        Kind::Migrate => ("=>", YELLOW),
    }
}

fn notes(change: &Change<'_>) -> String {
    let what = match change.kind {
        Kind::Create | Kind::Delete => String::new(),
        Kind::Update => "in place".to_owned(),
        Kind::Restart => "restarts".to_owned(),
        Kind::Replace => "made anew".to_owned(),
        Kind::Migrate => migrates(change),
    };
    let why = reason(&change.step.reason);
    let notes: Vec<&str> = [&*what, &why]
        .into_iter()
        .filter(|t| !t.is_empty())
        .collect();
    notes.join("; ")
}

/// `moves live from r1 to r2 (CPUs 2-3, node 1)`.
fn migrates(change: &Change<'_>) -> String {
    let id = &change.step.resource;
    let from = change.step.migration.as_ref().map(|m| &m.from.host);
    let from = from.map_or_else(String::new, |host| format!(" from {host}"));
    let machine = change.body.and_then(|body| Machine::deserialize(body).ok());
    let places = machine.map_or_else(Vec::new, |machine| {
        let pins = machine.vcpu_pins.values();
        let cpus = pins.fold(IdSet::new(), |all, pin| &all | pin);
        let cells = machine.cells.iter().filter_map(|cell| cell.nodes.as_ref());
        let nodes = cells.chain(&machine.memory_nodes);
        let nodes = nodes.fold(IdSet::new(), |all, nodes| &all | nodes);
        let said = [("CPU", cpus), ("node", nodes)].into_iter();
        let said = said.filter(|(_, ids)| !ids.is_empty());
        said.map(|(what, ids)| names::ids(what, &ids)).collect()
    });
    let places = match places.is_empty() {
        true => String::new(),
        false => format!(" ({})", places.join(", ")),
    };
    format!("moves live{from} to {}{places}", id.host)
}

/// Why, in words; nothing where the change says it itself.
pub(super) fn reason(reason: &Reason) -> String {
    match reason {
        Reason::New | Reason::Changed | Reason::Destroy | Reason::Moves { .. } => String::new(),
        Reason::CannotMove { from, why } => format!(
            "started anew: it cannot move live from {from}: {}",
            names::clean(&why.join("; "))
        ),
        Reason::Vanished => "we made it and it is gone".to_owned(),
        Reason::HalfMade { why } => format!("half made: {}", names::clean(why)),
        Reason::Drift => "changed behind our back".to_owned(),
        Reason::ChangedAndDrift => "declared otherwise, and changed behind our back".to_owned(),
        Reason::Replaced { attributes } if attributes.is_empty() => "asked for".to_owned(),
        Reason::Replaced { attributes: _ } => String::new(),
        Reason::ReplacedWith { resource } => format!("goes with {resource}, which it stands on"),
        Reason::RestartedWith { resource } => format!("{resource} changes under it"),
        Reason::NotReady => "an apply has waited for it in vain".to_owned(),
        Reason::Undeclared => "declared no longer".to_owned(),
        Reason::Stray => "carries our mark, and is neither declared nor in the state".to_owned(),
        Reason::Yields { to } => {
            format!("stops first: it and {to} each wait for what the other has")
        }
    }
}

fn loses_data(change: &Change<'_>) -> bool {
    let goes = matches!(change.kind, Kind::Delete | Kind::Replace);
    goes && change.body.is_some_and(holds_data)
}

/// It runs, and may not be stopped at any time.
fn not_before(when: &When) -> String {
    match when {
        When::Never => {
            "pending: restart = \"never\"; it is applied when somebody has stopped it".to_owned()
        }
        When::Window { window } => format!("only within {window} UTC; until then it is pending"),
    }
}

/// `done when TCP port 80 answers, for at most 300 s`.
fn until(change: &Change<'_>) -> String {
    let ready = change.body.and_then(|body| body.get("ready"));
    let ready = ready.and_then(|ready| GuestReady::deserialize(ready).ok());
    let GuestReady {
        agent,
        lease,
        port,
        console,
        cloud_init,
    } = ready.unwrap_or_default();
    let asked: Vec<String> = [
        lease.then(|| "it has a DHCP lease".to_owned()),
        agent.then(|| "its guest agent answers".to_owned()),
        console.map(|text| format!("its console says {:?}", names::clean(&text))),
        cloud_init.then(|| "cloud-init has finished".to_owned()),
        port.map(|port| format!("its TCP port {port} answers")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let most = change.step.ready_ms.get(&change.step.resource);
    let most = most.map_or_else(String::new, |ms| {
        format!(
            ", for at most {} s",
            Duration::from_millis(*ms).as_secs_f64()
        )
    });
    format!("done when {}{most}", asked.join(" and "))
}

fn which_first(starts: &Starts) -> String {
    match starts {
        Starts::First => "the new one runs before the old one is stopped".to_owned(),
        Starts::Second { both } => format!(
            "the new one is started when the old one has stopped: both have {}",
            both.join(", ")
        ),
    }
}

/// It is an instance of a block that changes in batches: `after web[0], web[1]`.
fn turn(change: &Change<'_>, plan: &Plan) -> Option<String> {
    let own = names::block(&change.step.address)?;
    let step = |number: &u32| &plan.steps[*number as usize - 1];
    let before = change.first.needs.iter().map(step);
    let before = before.filter(|s| {
        let sibling = s.address != change.step.address && names::block(&s.address) == Some(own);
        sibling && s.resource.kind == change.step.resource.kind
    });
    let (ready, done): (Vec<_>, Vec<_>) =
        before.partition(|s| change.first.waits_for.contains(&s.resource));
    let list = |steps: Vec<&Step>| {
        let names: Vec<&str> = steps.iter().map(|s| names::short(&s.address)).collect();
        names.join(", ")
    };
    match (ready.len(), done.len()) {
        (0, 0) => None,
        (0, _) => Some(format!("after {}", list(done))),
        (1, _) => Some(format!("when {} is ready", list(ready))),
        _ => Some(format!("when {} are ready", list(ready))),
    }
}

/// For a moment two run on the same CPUs; the plan says so.
fn overlap(step: &Step, releaser: &ResourceId, plan: &Plan) -> String {
    let (found, wanted) = cpus(step, plan);
    let other = plan.steps.iter().find(|s| s.resource == *releaser);
    let released = other.map_or_else(IdSet::new, |other| {
        let (found, wanted) = cpus(other, plan);
        &found - &wanted
    });
    let shared = &(&wanted - &found) & &released;
    let shared = if shared.is_empty() {
        "CPUs".to_owned()
    } else {
        names::ids("CPU", &shared)
    };
    format!("shares {shared} with {releaser} until that has moved")
}

/// The CPUs an object is bound to before its step and after it.
fn cpus(step: &Step, plan: &Plan) -> (IdSet, IdSet) {
    let of = |body: &Value| claims(&step.resource, body, None).cpus;
    let found = match &step.before {
        Before::Present { body } => of(body),
        Before::Absent | Before::Partial | Before::Removed => IdSet::new(),
    };
    let wanted = plan.result.resources.get(&step.resource);
    (found, wanted.map_or_else(IdSet::new, |r| of(&r.body)))
}

fn made(page: &mut Page, indent: usize, change: &Change<'_>) {
    let Some(body) = change.body else { return };
    let shown = about(body, change.step.source.as_deref());
    let names = shown.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    for (name, value) in shown {
        let lead = format!("{}{}  ", " ".repeat(indent), pad(&name, names));
        page.folded(&lead, PLAIN, &value);
    }
}

fn changed(page: &mut Page, indent: usize, change: &Change<'_>, worst: Impact) {
    let deltas = &change.step.deltas;
    let shown: Vec<Row> = deltas.iter().map(|d| Row::of(d, worst)).collect();
    rows(page, indent, &shown);
}
