//! Why a workload runs as what it does and where: every candidate with its verdict, and the place tier by tier.

use infra_api::{Address, HostName, Placement, Variant};

use super::page::{BOLD, DIM, GREEN, PLAIN, Page, pad, paint, width};
use super::{names, place, suits, workloads};
use crate::choose::{Candidate, Choice};
use crate::decide::Decision;
use crate::inventory::Inventory;
use crate::placing::{Explained, HostRefusal, PassedOver, Rival, TIERS};

/// Why a workload runs as what it does and where.
#[must_use]
pub fn explain(
    address: &Address,
    decision: &Decision,
    inventory: &Inventory,
    explained: Option<&Explained>,
) -> String {
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
    if let Some(suited) = &choice.suited {
        suits::table(&mut page, suited, placement, &decision.table);
    }
    candidates(
        &mut page,
        choice,
        placement,
        &did_not_fit(address, decision),
    );
    if let Some(placement) = placement {
        tiers(&mut page, placement, explained);
        rivals(&mut page, choice, placement, explained);
        vcpus(&mut page, placement);
        page.blank();
        let host = inventory.hosts.get(&placement.host);
        workloads::keepers(&mut page, host);
    }
    nearest(&mut page, explained);
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
    // Of hosts of which the same is said it is said once.
    let mut lines: Vec<(Variant, Vec<HostName>, bool, String)> = Vec::new();
    for (candidate, is_chosen, verdict) in verdicts {
        let same = lines.iter_mut().find(|(variant, _, chosen, said)| {
            (*variant, *chosen, said) == (candidate.variant, is_chosen, &verdict)
        });
        let host = candidate.host.clone();
        match same {
            Some((_, hosts, _, _)) => hosts.push(host),
            None => lines.push((candidate.variant, vec![host], is_chosen, verdict)),
        }
    }
    let name = |variant: &Variant, hosts: &[HostName]| format!("{variant} on {}", like(hosts));
    let names = lines.iter().map(|(r, h, ..)| width(&name(r, h))).max();
    for (variant, hosts, is_chosen, verdict) in &lines {
        let style = if *is_chosen { GREEN } else { PLAIN };
        let name = paint(style, &name(variant, hosts));
        let lead = format!("  {}  ", pad(&name, names.unwrap_or(0)));
        page.folded(&lead, style, verdict);
    }
}

/// Each candidate, whether it is the chosen one, and what is to be said of it. Of the many ways to run with fewer settings
/// those with a column stand for the others that have room.
fn verdicts(
    choice: &Choice,
    chosen: Option<&Placement>,
    refusals: &[&HostRefusal],
) -> Vec<(Candidate, bool, String)> {
    let is_chosen =
        |c: &Candidate| chosen.is_some_and(|p| (p.variant(), &p.host) == (c.variant, &c.host));
    let mut stands_before = choice.candidates().any(|c| is_chosen(&c));
    let mut verdicts = Vec::new();
    for candidate in choice.candidates() {
        let refused = refusals
            .iter()
            .find(|r| r.variant == candidate.variant && r.hosts.contains(&candidate.host));
        if refused.is_none() && !is_chosen(&candidate) && !is_told(choice, candidate.variant) {
            continue;
        }
        let verdict = match refused {
            _ if is_chosen(&candidate) => "chosen".to_owned(),
            Some(refusal) => format!("did not fit: {}", refusal.constraint),
            None if chosen.is_some_and(|p| p.runtime == candidate.variant.runtime) => {
                "has room, too".to_owned()
            }
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

/// Whether a variant has a column, or none has.
fn is_told(choice: &Choice, variant: Variant) -> bool {
    let suited = choice.suited.as_ref();
    suited.is_none_or(|suited| suits::shown(suited).contains(&variant))
}

/// Of what it has now where that is known, else as it was recorded.
fn tiers(page: &mut Page, placement: &Placement, explained: Option<&Explained>) {
    let found = explained.map_or(&[][..], |e| e.tiers.as_slice());
    let found = found.iter().filter(|(_, cost)| *cost > 0);
    let mut tiers: Vec<(String, u64)> = found.map(|(name, n)| ((*name).to_owned(), *n)).collect();
    if explained.is_none() {
        tiers.extend(placement.tiers.iter().map(|t| (t.name.clone(), t.cost)));
    }
    if tiers.is_empty() {
        return;
    }
    page.blank();
    page.line("What the place costs: lower is better, the first that differs decides");
    let name = |text: &str| text.replace('_', " ");
    let names = tiers.iter().map(|(n, _)| width(&name(n))).max();
    let costs = tiers.iter().map(|(_, n)| n.to_string().len()).max();
    let (names, costs) = (names.unwrap_or(0), costs.unwrap_or(0));
    for (tier, cost) in &tiers {
        let lead = format!("  {}  {cost:>costs$}  ", pad(&name(tier), names));
        page.folded(&lead, DIM, means(tier));
    }
}

/// What a criterion counts; nothing of one that an earlier infra recorded.
fn means(tier: &str) -> &'static str {
    let known = TIERS.iter().find(|(name, _)| *name == tier);
    known.map_or("", |(_, counts)| counts)
}

/// So many of those who lose are told.
const RIVALS: usize = 5;

/// What else has room for it, and by what it loses.
fn rivals(page: &mut Page, choice: &Choice, placement: &Placement, explained: Option<&Explained>) {
    let Some(explained) = explained else { return };
    let nodes = explained.nodes.iter().map(|(node, why)| {
        let who = format!("{} on {}, node {node}", placement.runtime, placement.host);
        (who, why.clone())
    });
    let is_shown = |rival: &&Rival| is_told(choice, rival.variant);
    let hosts = explained.rivals.iter().filter(is_shown).map(|rival| {
        let who = format!("{} on {}", rival.variant, like(&rival.hosts));
        (who, rival.why.clone())
    });
    let all: Vec<(String, String)> = nodes.chain(hosts).collect();
    if all.is_empty() {
        return;
    }
    page.blank();
    page.line("Runners-up, the next best first");
    let names = all.iter().take(RIVALS).map(|(who, _)| width(who)).max();
    for (who, why) in all.iter().take(RIVALS) {
        page.folded(&format!("  {}  ", pad(who, names.unwrap_or(0))), PLAIN, why);
    }
    if all.len() > RIVALS {
        page.line(&format!("  {} more lose by more", all.len() - RIVALS));
    }
}

fn nearest(page: &mut Page, explained: Option<&Explained>) {
    let ways = explained.map_or(&[][..], |e| e.nearest.as_slice());
    if ways.is_empty() {
        return;
    }
    page.blank();
    page.line("What would make it fit where it does not, the nearest first; each was tried");
    for way in ways {
        page.folded("  ", PLAIN, way);
    }
}

/// `r3`, `r3, r4`, `12 hosts like r3`.
pub(super) fn like(hosts: &[HostName]) -> String {
    match hosts {
        [first, _, _, ..] => format!("{} hosts like {first}", hosts.len()),
        few => names::hosts(few),
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
