//! What runs where and why: a line for each workload, and what hosts keep for themselves.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::units::Bytes;
use infra_api::{Address, HostName};

use super::PlanView;
use super::names;
use super::page::{BOLD, DIM, DOT, PLAIN, Page, WIDTH, pad, paint, width};
use super::place;
use crate::inventory::HostInventory;

/// Where details would begin beyond this column they stand below.
const COLUMN: usize = 40;
/// Where they begin then.
const BELOW: usize = 4;

struct Row {
    name: String,
    what: String,
    facts: Vec<String>,
    reasons: Vec<String>,
}

/// Writes the first part of a plan.
pub(super) fn workloads(page: &mut Page, view: &PlanView<'_>) {
    let rows = rows(view);
    let longest = |text: fn(&Row) -> &str| rows.iter().map(|r| width(text(r))).max().unwrap_or(0);
    let (names, whats) = (longest(|r| &r.name), longest(|r| &r.what));
    for row in &rows {
        let name = pad(&paint(BOLD, &row.name), names);
        let head = format!("{name}  {}  ", pad(&row.what, whats));
        details(page, &head, row);
    }
    if !view.concise {
        hosts(page, view);
    }
}

fn details(page: &mut Page, head: &str, row: &Row) {
    let facts = row.facts.join(DOT);
    let reasons = row.reasons.join(DOT);
    let beside = format!("{head}{facts}{}", paint(DIM, &format!("{DOT}{reasons}")));
    let fits = width(head) <= COLUMN;
    if fits && !reasons.is_empty() && width(&beside) <= WIDTH {
        page.line(&beside);
        return;
    }
    let below = " ".repeat(if fits { width(head) } else { BELOW });
    if fits {
        page.listed(head, PLAIN, &row.facts);
    } else {
        page.line(head);
        page.listed(&below, PLAIN, &row.facts);
    }
    page.listed(&below, DIM, &row.reasons);
}

fn rows(view: &PlanView<'_>) -> Vec<Row> {
    let mut addresses: Vec<&Address> = view.prior.workloads.keys().collect();
    addresses.extend(view.plan.result.workloads.keys());
    // Mostly each is there twice, and to put them in order by their parts is dear.
    addresses.sort();
    addresses.dedup();
    addresses.sort_by_cached_key(|a| names::order(a));
    if view.concise {
        let changes: BTreeSet<&Address> = view.plan.steps.iter().map(|s| &s.address).collect();
        addresses.retain(|a| changes.contains(a));
    }
    addresses.into_iter().filter_map(|a| row(view, a)).collect()
}

fn row(view: &PlanView<'_>, address: &Address) -> Option<Row> {
    let now = view.plan.result.workloads.get(address);
    let placement = now.or_else(|| view.prior.workloads.get(address))?;
    let (facts, reasons) = match now {
        Some(now) => (place::facts(now), place::reasons(view, address, now)),
        None if view.plan.is_empty() => (vec!["is gone".to_owned()], Vec::new()),
        None => (vec!["is removed".to_owned()], Vec::new()),
    };
    let runtime = place::runtime(view, address, placement);
    Some(Row {
        name: names::short(address).to_owned(),
        what: format!("{runtime} on {}", placement.host),
        facts,
        reasons,
    })
}

fn hosts(page: &mut Page, view: &PlanView<'_>) {
    let placements = view.plan.result.workloads.values();
    let used: BTreeSet<&HostName> = placements.map(|p| &p.host).collect();
    let known = view.inventory.iter().flat_map(|i| &i.hosts);
    keepers(
        page,
        known
            .filter(|(name, _)| used.contains(name))
            .map(|(_, host)| host),
    );
}

/// What hosts keep for themselves; equal ones on one line.
pub(super) fn keepers<'a>(page: &mut Page, hosts: impl IntoIterator<Item = &'a HostInventory>) {
    let mut keepers: BTreeMap<(String, bool), Vec<HostName>> = BTreeMap::new();
    for host in hosts {
        let equal = keepers.entry((keeps(host), host.reserved_by_default));
        equal.or_default().push(host.declared.name.clone());
    }
    for ((what, by_default), hosts) in keepers {
        let (verb, whom) = match hosts.len() {
            1 => ("keeps", "itself"),
            _ => ("keep", "themselves"),
        };
        let default = if by_default { " (default)" } else { "" };
        let hosts = names::hosts(&hosts);
        page.folded(
            "",
            DIM,
            &format!("{hosts} {verb} {what} for {whom}{default}"),
        );
    }
}

fn keeps(host: &HostInventory) -> String {
    let mut kept = Vec::new();
    if !host.reserved_cpus.is_empty() {
        kept.push(names::ids("CPU", &host.reserved_cpus));
    }
    if let Some(reserve) = &host.declared.reserve {
        let memory = [
            (reserve.memory_bytes, ""),
            (reserve.memory_per_node_bytes, " of each node"),
        ];
        let memory = memory.iter().filter(|(bytes, _)| *bytes > 0);
        kept.extend(memory.map(|(bytes, of)| format!("{}{of}", Bytes(*bytes))));
    }
    if kept.is_empty() {
        "no CPU".to_owned()
    } else {
        kept.join(" and ")
    }
}
