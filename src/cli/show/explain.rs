//! Why a workload runs as what it does and where: every candidate with its verdict, and the place tier by tier.

use infra_api::{Address, Placement};

use super::page::{BOLD, DIM, GREEN, PLAIN, Page, pad, paint, width};
use super::{names, place, workloads};
use crate::choose::{Candidate, Choice};
use crate::decide::Decision;
use crate::inventory::Inventory;
use crate::placing::{HostRefusal, PassedOver};

/// Why a workload runs as what it does and where.
#[must_use]
pub fn explain(address: &Address, decision: &Decision, inventory: &Inventory) -> String {
    let mut page = Page::default();
    let name = paint(BOLD, names::short(address));
    let Some(choice) = decision.choices.get(address) else {
        page.line(&format!("{name} is no workload"));
        return page.finish();
    };
    let placement = decision.placed.placements.get(address);
    match placement {
        Some(p) => {
            page.line(&format!(
                "{name} runs as {} on {}",
                place::one(p.runtime),
                p.host
            ));
            page.blank();
            page.listed("  ", PLAIN, &place::facts(p));
        }
        None => page.line(&format!("{name} has no place")),
    }
    candidates(
        &mut page,
        choice,
        placement,
        &did_not_fit(address, decision),
    );
    if let Some(placement) = placement {
        tiers(&mut page, placement);
        vcpus(&mut page, placement);
        page.blank();
        let host = inventory.hosts.get(&placement.host);
        workloads::keepers(&mut page, host);
    }
    page.finish()
}

/// Candidates that had no room, also those that were tried last.
fn did_not_fit<'a>(address: &Address, decision: &'a Decision) -> Vec<&'a HostRefusal> {
    let passed_over = decision.placed.passed_over.get(address);
    let passed_over = passed_over.map_or(&[][..], PassedOver::refusals);
    let refused = decision
        .placed
        .refused
        .iter()
        .filter(|r| r.workload == *address);
    let refused = refused.flat_map(|r| &*r.refused);
    passed_over.iter().chain(refused).collect()
}

fn candidates(
    page: &mut Page,
    choice: &Choice,
    chosen: Option<&Placement>,
    refusals: &[&HostRefusal],
) {
    page.blank();
    page.line("Candidates, the preferred first");
    let verdicts = verdicts(choice, chosen, refusals);
    let names = verdicts
        .iter()
        .map(|(c, ..)| width(&name(c)))
        .max()
        .unwrap_or(0);
    for (candidate, is_chosen, verdict) in &verdicts {
        let style = if *is_chosen { GREEN } else { PLAIN };
        let lead = format!("  {}  ", pad(&paint(style, &name(candidate)), names));
        page.folded(&lead, style, verdict);
    }
}

fn name(candidate: &Candidate) -> String {
    format!("{} on {}", candidate.runtime, candidate.host)
}

/// Each candidate, whether it is the chosen one, and what is to be said of it.
fn verdicts(
    choice: &Choice,
    chosen: Option<&Placement>,
    refusals: &[&HostRefusal],
) -> Vec<(Candidate, bool, String)> {
    let is_chosen =
        |c: &Candidate| chosen.is_some_and(|p| (p.runtime, &p.host) == (c.runtime, &c.host));
    let mut stands_before = choice.candidates().any(|c| is_chosen(&c));
    let mut verdicts = Vec::new();
    for candidate in choice.candidates() {
        let refused = refusals
            .iter()
            .find(|r| r.runtime == candidate.runtime && r.hosts.contains(&candidate.host));
        let verdict = match refused {
            _ if is_chosen(&candidate) => "chosen".to_owned(),
            Some(refusal) => format!("did not fit: {}", refusal.constraint),
            None if stands_before => "preferred, but it stays where it runs".to_owned(),
            None => "possible, later in preference".to_owned(),
        };
        let chosen = is_chosen(&candidate);
        stands_before &= !chosen;
        verdicts.push((candidate, chosen, verdict));
    }
    let losers = choice.losers().into_iter();
    verdicts.extend(losers.map(|(candidate, gate, why)| {
        (
            candidate,
            false,
            format!("ruled out by gate `{gate}`: {why}"),
        )
    }));
    verdicts
}

fn tiers(page: &mut Page, placement: &Placement) {
    if placement.tiers.is_empty() {
        return;
    }
    page.blank();
    page.line("What the place costs: lower is better, the first that differs decides");
    let name = |text: &str| text.replace('_', " ");
    let names = placement
        .tiers
        .iter()
        .map(|t| width(&name(&t.name)))
        .max()
        .unwrap_or(0);
    for tier in &placement.tiers {
        page.line(&format!(
            "  {}  {}",
            pad(&name(&tier.name), names),
            tier.cost
        ));
    }
}

/// Which CPU each vCPU has to itself; nothing where they share.
fn vcpus(page: &mut Page, placement: &Placement) {
    let own = placement.cells.iter().flat_map(|cell| &cell.vcpus);
    let own: Vec<String> = own
        .filter_map(|v| Some(format!("{} on CPU {}", v.id, v.cpu?)))
        .collect();
    if !own.is_empty() {
        page.blank();
        page.folded("vCPUs  ", DIM, &own.join(", "));
    }
}
