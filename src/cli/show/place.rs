//! A place in words: what a workload has there, what that was before, and why it is there.

use std::collections::{BTreeMap, BTreeSet};

use infra_api::target::Acceleration;
use infra_api::units::Bytes;
use infra_api::{Address, Cell, CpuPolicy, IdSet, Placement, ResourceId, Runtime, Variant};
use infra_plan::Record;
use serde::Deserialize;

use super::PlanView;
use super::{names, suits, unreachable};
use crate::choose::{Choice, PREFERENCE};
use crate::decide::Decision;
use crate::lower::main_resource;
use crate::placing::{Gain, HostRefusal, LOCALITY};

/// So many of the places that did not fit are told; `infra explain` tells all.
const TOLD: usize = 2;

/// What it has: CPUs, memory, nodes, devices, addresses.
pub(super) fn facts(placement: &Placement) -> Vec<String> {
    let mut facts = vec![cpus(placement)];
    let own = placement.cpus();
    let helpers = placement.helpers.iter().filter(|(_, cpus)| **cpus != own);
    facts.extend(helpers.map(|(name, cpus)| format!("{name} on {}", names::ids("CPU", cpus))));
    facts.extend(memory(placement));
    let nodes = placement.nodes();
    match placement.cells.as_slice() {
        cells if is_parted(cells) => facts.extend(cells.iter().map(cell)),
        _ => facts.extend((!nodes.is_empty()).then(|| names::ids("node", &nodes))),
    }
    facts.extend(placement.devices.iter().cloned());
    let addresses = placement.addresses.iter();
    facts.extend(addresses.map(|(label, address)| format!("{label} {address}")));
    facts
}

/// Whether each of several nodes has a part of it.
fn is_parted(cells: &[Cell]) -> bool {
    let part = |cell: &Cell| cell.node.is_some() && !cell.vcpus.is_empty();
    cells.len() > 1 && cells.iter().all(part)
}

/// `node 0: CPUs 1-2, 2 GiB in 1 GiB pages`.
fn cell(cell: &Cell) -> String {
    let node = cell
        .node
        .map_or_else(|| "no node".to_owned(), |n| format!("node {n}"));
    let memory = in_pages(cell.memory_bytes, cell.page_size_bytes);
    let memory = memory.map_or_else(String::new, |memory| format!(", {memory}"));
    format!("{node}: {}{memory}", names::ids("CPU", &cell.cpus))
}

fn in_pages(bytes: u64, page: Option<u64>) -> Option<String> {
    let pages = page.map_or_else(String::new, |size| format!(" in {} pages", Bytes(size)));
    (bytes > 0).then(|| format!("{}{pages}", Bytes(bytes)))
}

fn cpus(placement: &Placement) -> String {
    let cpus = placement.cpus();
    match (cpus.is_empty(), placement.policy) {
        (true, _) => "any CPU".to_owned(),
        (false, CpuPolicy::Dedicated) => format!("{} of its own", names::ids("CPU", &cpus)),
        (false, CpuPolicy::Shared) => format!("{} shared", names::ids("CPU", &cpus)),
    }
}

fn memory(placement: &Placement) -> Option<String> {
    let cells = &placement.cells;
    // Where each part is told, so are its pages.
    let page = cells.iter().find_map(|c| c.page_size_bytes);
    in_pages(placement.memory_bytes(), page.filter(|_| !is_parted(cells)))
}

/// `container`, `KVM`, `KVM (emulated)`.
pub(super) fn runtime(view: &PlanView<'_>, address: &Address, placement: &Placement) -> String {
    let emulated = (placement.runtime == Runtime::Kvm)
        .then(|| machine(view, address, placement))
        .flatten()
        .and_then(|r| Acceleration::deserialize(&r.body["acceleration"]).ok())
        .is_some_and(|acceleration| acceleration == Acceleration::Emulated);
    let suffix = if emulated { " (emulated)" } else { "" };
    format!("{}{suffix}", placement.runtime)
}

/// By its name, where that follows from its address; few have another.
fn machine<'a>(
    view: &PlanView<'a>,
    address: &Address,
    placement: &Placement,
) -> Option<&'a Record> {
    let made_as = &view.plan.result.made_as;
    let derived = main_resource(
        view.project,
        address,
        (&BTreeMap::new(), made_as),
        placement,
    );
    let own = |(id, record): &(&ResourceId, &Record)| {
        id.kind == derived.kind && record.address == *address
    };
    let outcomes = [&view.plan.result, view.prior];
    outcomes.into_iter().find_map(|outcome| {
        let named = outcome.resources.get(&derived);
        named.or_else(|| Some(outcome.resources.iter().find(own)?.1))
    })
}

/// Why it is there: what it was before, or what decided.
pub(super) fn reasons(
    view: &PlanView<'_>,
    address: &Address,
    placement: &Placement,
) -> Vec<String> {
    if view.plan.left_out.contains(address) {
        let why = unreachable::reason(view.plan, address);
        return vec![why.unwrap_or_else(|| "left out".to_owned())];
    }
    let prior = view.prior.workloads.get(address);
    let mut reasons = prior.map_or_else(Vec::new, |prior| moves(prior, placement));
    if let Some(prior) = prior.filter(|_| !reasons.is_empty()) {
        reasons.extend(cause(view, address, prior, placement));
        reasons.extend(gains(prior, placement).iter().map(gain));
    }
    let elsewhere =
        prior.is_none_or(|p| (p.runtime, &p.host) != (placement.runtime, &placement.host));
    if let Some(decision) = view.decision.filter(|_| elsewhere) {
        reasons.extend(why(decision, address, placement));
    } else if reasons.is_empty() && prior.is_some() {
        reasons.push("stays".to_owned());
    }
    if let Some(decision) = view.decision.filter(|_| !elsewhere) {
        reasons.extend(better(decision, address, placement));
    }
    reasons
}

/// What would suit better than what it stays.
fn better(decision: &Decision, address: &Address, placement: &Placement) -> Option<String> {
    let choice = decision
        .choices
        .get(address)
        .filter(|choice| !choice.named)?;
    suits::better(
        choice.suited.as_ref()?,
        placement.variant(),
        &decision.table,
        address,
    )
}

/// What it was before; nothing where all is the same.
fn moves(prior: &Placement, now: &Placement) -> Vec<String> {
    if prior == now {
        return Vec::new();
    }
    match (prior.runtime == now.runtime, prior.host == now.host) {
        (true, true) => moves_on_host(prior, now),
        (true, false) => vec![format!("was on {}", prior.host)],
        (false, _) => vec![format!("was {} on {}", one(prior.runtime), prior.host)],
    }
}

/// Why it does not stay, where that is another's doing.
fn cause(
    view: &PlanView<'_>,
    address: &Address,
    prior: &Placement,
    now: &Placement,
) -> Option<String> {
    let made_room = view.decision.map(|d| &d.placed.made_room);
    if let Some(other) = made_room.and_then(|m| m.get(address)) {
        return Some(format!("makes room for {}", names::short(other)));
    }
    let home = view.inventory?.hosts.get(&prior.host)?;
    let drained = home.declared.drain && prior.host != now.host;
    drained.then(|| format!("{} is drained", prior.host))
}

/// What its place is better or worse at than the one it had.
fn gains(prior: &Placement, now: &Placement) -> Vec<Gain> {
    let cost = |placement: &Placement, tier| {
        let mut tiers = placement.tiers.iter();
        tiers.find(|t| t.name == tier).map_or(0, |t| t.cost)
    };
    let gain = |tier| Gain {
        tier,
        before: cost(prior, tier),
        after: cost(now, tier),
    };
    let gains = LOCALITY.into_iter().map(gain);
    gains.filter(|gain| gain.before != gain.after).collect()
}

/// `extra nodes 1 → 0`.
pub(super) fn gain(gain: &Gain) -> String {
    let Gain {
        tier,
        before,
        after,
    } = gain;
    let tier = match *tier {
        "hosts" => "hosts in use".to_owned(),
        tier => tier.replace('_', " "),
    };
    format!("{tier} {before} → {after}")
}

fn moves_on_host(prior: &Placement, now: &Placement) -> Vec<String> {
    let mut moves = Vec::new();
    let (before, after) = (cpus(prior), cpus(now));
    if prior.cpus() != now.cpus() && prior.policy == now.policy {
        moves.push(was_on("CPU", &prior.cpus()));
    } else if before != after {
        moves.push(format!("was {before}"));
    }
    if prior.nodes() != now.nodes() {
        moves.push(was_on("node", &prior.nodes()));
    }
    if memory(prior) != memory(now) {
        moves.extend(memory(prior).map(|was| format!("was {was}")));
    }
    for (label, was) in &prior.addresses {
        if now.addresses.get(label).is_some_and(|is| is != was) {
            moves.push(format!("{label} was {was}"));
        }
    }
    moves
}

fn was_on(noun: &str, before: &IdSet) -> String {
    if before.is_empty() {
        format!("was on any {noun}")
    } else {
        format!("was on {}", names::ids(noun, before))
    }
}

/// What decided for this runtime and this host.
fn why(decision: &Decision, address: &Address, placement: &Placement) -> Vec<String> {
    let Some(choice) = decision.choices.get(address) else {
        return Vec::new();
    };
    let mut reasons = match &choice.suited {
        Some(suited) => suits::sentence(suited, placement.variant(), &decision.table),
        None => vec![why_runtime(choice, placement.runtime)],
    };
    if choice.suited.is_some() && choice.named {
        reasons.insert(0, format!("runtime says {}", placement.runtime.word()));
    }
    reasons.extend(withdrawn(decision, choice, placement));
    reasons.extend(why_not_offered(choice, placement.runtime));
    if choice.ruled_out.iter().any(|r| r.gate == "host") {
        reasons.push(format!("host says {}", placement.host));
    }
    if let Some(passed_over) = decision.placed.passed_over.get(address) {
        let told = passed_over.each().take(TOLD);
        reasons.extend(told.map(|(refusal, count, hosts)| {
            did_not_fit(
                refusal,
                &crate::placing::names(count, hosts),
                placement.variant(),
            )
        }));
        let more = passed_over.each().skip(TOLD).count();
        reasons.extend((more > 0).then(|| format!("{more} more did not fit")));
    }
    reasons.retain(|r| !r.is_empty());
    reasons
}

/// What it would have, were there room for all with it.
fn withdrawn(decision: &Decision, choice: &Choice, placement: &Placement) -> Option<String> {
    let suited = choice.suited.as_ref()?;
    let mut ranked = suited.ranking.ranked.iter().map(|r| r.score.variant);
    let best = ranked.find(|v| v.runtime == placement.runtime)?;
    let missing = best.with.minus(placement.with);
    let missing = missing.common(decision.placed.withdrawn);
    (!missing.is_empty()).then(|| format!("without {missing}, so that others have a place"))
}

fn why_runtime(choice: &Choice, chosen: Runtime) -> String {
    let forms = forms(choice);
    let next = PREFERENCE
        .into_iter()
        .skip_while(|r| *r != chosen)
        .skip(1)
        .find(|r| forms.contains(r));
    match next {
        _ if choice.named => format!("runtime says {}", chosen.word()),
        _ if forms.len() <= 1 => format!("given as {} only", one(chosen)),
        Some(next) => format!("{} comes before {}", one(chosen), one(next)),
        None => String::new(),
    }
}

/// The runtimes it is given for.
fn forms(choice: &Choice) -> BTreeSet<Runtime> {
    let possible = choice.possible.iter().map(|c| c.variant.runtime);
    let ruled_out = choice.ruled_out.iter().filter(|r| r.gate != "form");
    possible.chain(ruled_out.map(|r| r.runtime)).collect()
}

/// Preferred runtimes that no host offers.
fn why_not_offered(choice: &Choice, chosen: Runtime) -> Vec<String> {
    let possible = |runtime| choice.possible.iter().any(|c| c.variant.runtime == runtime);
    let preferred = PREFERENCE.into_iter().take_while(|r| *r != chosen);
    let refusal = |runtime| {
        let refused = |r: &&crate::choose::RuledOut| r.gate == "offered" && r.runtime == runtime;
        choice.ruled_out.iter().find(refused)
    };
    preferred
        .filter(|runtime| !possible(*runtime))
        .filter_map(refusal)
        .map(|r| format!("not {}: {}", one(r.runtime), r.why))
        .collect()
}

/// A preferred place without room.
fn did_not_fit(refusal: &HostRefusal, hosts: &str, chosen: Variant) -> String {
    let HostRefusal {
        variant,
        hosts: _,
        constraint,
    } = refusal;
    if *variant == chosen {
        format!("{hosts} did not fit: {constraint}")
    } else {
        format!("{} on {hosts} did not fit: {constraint}", as_one(*variant))
    }
}

/// `a container with the host's network`.
pub(super) fn as_one(variant: Variant) -> String {
    let Variant { runtime, with } = variant;
    match with.is_empty() {
        true => one(runtime).to_owned(),
        false => format!("{} with {with}", one(runtime)),
    }
}

pub(super) fn one(runtime: Runtime) -> &'static str {
    match runtime {
        Runtime::BareMetal => "bare metal",
        Runtime::Container => "a container",
        Runtime::Kvm => "KVM",
    }
}
