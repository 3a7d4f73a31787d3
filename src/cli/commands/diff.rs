//! `infra diff`: what the world has become since the last apply.

use std::collections::BTreeMap;

use infra_api::{Edit, Impact, Observed, ResourceId};
use infra_lang::Mode;
use infra_plan::Record;

use crate::cli::arguments::{self, Global};
use crate::cli::session::Session;
use crate::cli::show::{self, Drift, Drifts};
use crate::cli::ui::{Exit, Stop, Ui};

pub(in crate::cli) async fn run(
    args: arguments::Diff,
    global: Global,
    ui: Ui,
) -> Result<Exit, Stop> {
    let mut options = global.options(&args.values);
    options.allow_unreachable = args.reaching.allow_unreachable;
    let mut session = Session::open(options, Mode::Plan, ui)?;
    let world = session.reach().await?;
    session.tell_unreachable(ui);
    let observed = session.observe(&world, &BTreeMap::new()).await?;
    let drifts = drifts(&session, &observed);
    if args.json {
        ui.json(&show::json::drift(&drifts, &session.unreachable));
    } else {
        ui.result(&show::plan::drift(&drifts, session.unreachable.is_empty()));
    }
    Ok(if drifts.is_empty() {
        Exit::Done
    } else {
        Exit::Changes
    })
}

fn drifts(session: &Session, observed: &BTreeMap<ResourceId, Observed>) -> Drifts {
    let prior = session.prior();
    let mut drifts = Drifts::new();
    for (id, found) in observed {
        let drift = match prior.resources.get(id) {
            Some(record) => {
                changed(session, id, record, found).map(|d| (record.address.clone(), d))
            }
            None => stray(found),
        };
        drifts.extend(drift.map(|d| (id.clone(), d)));
    }
    drifts
}

fn changed(session: &Session, id: &ResourceId, record: &Record, found: &Observed) -> Option<Drift> {
    let impact = |path: &[String], removed: bool, after: &serde_json::Value| {
        let provider = session.provider(id);
        let edit = Edit {
            path,
            removed,
            before: &record.body,
            after,
        };
        provider.map_or(Impact::Replace, |p| p.impact_of(&id.kind, &edit))
    };
    match found {
        Observed::Absent => Some(Drift::Missing),
        Observed::Foreign { what, .. } => Some(Drift::Taken { what: what.clone() }),
        Observed::Partial { why, .. } => Some(Drift::HalfMade { why: why.clone() }),
        Observed::Present { body, .. } => {
            let deltas = infra_plan::diff(&record.body, body, &|path, removed| {
                impact(path, removed, body)
            });
            (!deltas.is_empty()).then_some(Drift::Changed { deltas })
        }
    }
}

fn stray(found: &Observed) -> Option<(infra_api::Address, Drift)> {
    match found {
        Observed::Present { address, .. } => Some((address.clone(), Drift::Stray)),
        Observed::Partial { address, why } => {
            Some((address.clone(), Drift::HalfMade { why: why.clone() }))
        }
        Observed::Absent | Observed::Foreign { .. } => None,
    }
}
