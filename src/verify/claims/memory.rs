//! Its memory is where it was placed.

use std::collections::BTreeMap;

use infra_api::IdSet;
use infra_api::running::Mapping;

use super::Claim;
use crate::verify::words::{nodes, percent, size};
use crate::verify::{Case, Check, Verdict};

pub(super) const CLAIM: Claim = Claim {
    name: "memory",
    holds: "Of the pages in use that are its own, 99 % are on the planned nodes; pages that it has of files do not count, since others may have read them before. Where parts of a machine's memory have nodes of their own, some of it is bound to just these and is there, and in huge pages at least as much as the parts have. Where a process has a policy (`memory.mode`), some of its memory is under just that: what it asks for itself may be under others.",
    source: "numa(7): `/proc/PID/numa_maps`",
    of_processes: true,
    check,
};

/// In percent: a thread's first pages may be made before it is moved.
const MOST_ELSEWHERE: u64 = 1;

fn check(case: &Case<'_>) -> Vec<Check> {
    let whole = case.wanted.nodes.as_ref().map(|wanted| whole(case, wanted));
    let mut checks: Vec<Check> = whole.into_iter().chain(policy(case)).collect();
    checks.extend(parts(case));
    checks
}

fn whole(case: &Case<'_>, wanted: &IdSet) -> Check {
    let Some(maps) = own(case) else {
        return unknown(case, "memory", wanted);
    };
    compared(case, "memory", wanted, &maps)
}

fn parts(case: &Case<'_>) -> Vec<Check> {
    let part = |(wanted, huge): (&IdSet, &u64)| {
        let what = format!("memory bound to {}", nodes(wanted));
        let Some(maps) = own(case) else {
            return unknown(case, &what, wanted);
        };
        let bound = maps.into_iter().filter(|m| m.is_under("bind", wanted));
        let bound: Vec<&Mapping> = bound.collect();
        let taken = bound
            .iter()
            .filter(|map| map.is_huge)
            .map(|map| map.bytes());
        let taken = taken.fold(0, u64::saturating_add);
        match taken < *huge {
            true => {
                let expected = format!("{}, {} in huge pages", nodes(wanted), size(*huge));
                case.check(what, expected, size(taken), Verdict::Fails)
            }
            false => compared(case, &what, wanted, &bound),
        }
    };
    case.wanted.parts.iter().map(part).collect()
}

/// Of what it has not asked for another one.
fn policy(case: &Case<'_>) -> Option<Check> {
    let policy = case.wanted.memory_policy.as_ref()?;
    // The kernel has a shorter word for it.
    let mode = match policy.mode.as_str() {
        "preferred" => "prefer",
        mode => mode,
    };
    let (what, expected) = ("memory policy", format!("{mode} {}", nodes(&policy.nodes)));
    let Some(maps) = own(case) else {
        let found = "the kernel does not let it be read";
        return Some(case.check(what, expected, found, Verdict::Unknown));
    };
    let bytes = |maps: &mut dyn Iterator<Item = &&Mapping>| {
        maps.map(|map| map.bytes()).fold(0, u64::saturating_add)
    };
    let all = bytes(&mut maps.iter());
    let under = bytes(&mut maps.iter().filter(|m| m.is_under(mode, &policy.nodes)));
    let found = match all {
        0 => "none".to_owned(),
        _ => format!("{} of {} under it", percent(under, all), size(all)),
    };
    Some(case.check(what, expected, found, Verdict::of(under > 0)))
}

/// Of all its processes; nothing where the kernel does not let one be read.
fn own<'a>(case: &Case<'a>) -> Option<Vec<&'a Mapping>> {
    let mut all = Vec::new();
    for (_, process) in &case.processes {
        all.extend(process.memory.as_ref()?.iter().filter(|m| !m.is_file));
    }
    Some(all)
}

fn unknown(case: &Case<'_>, what: &str, wanted: &IdSet) -> Check {
    let found = "the kernel does not let it be read";
    case.check(what, nodes(wanted), found, Verdict::Unknown)
}

fn compared(case: &Case<'_>, what: &str, wanted: &IdSet, maps: &[&Mapping]) -> Check {
    let mut on: BTreeMap<u32, u64> = BTreeMap::new();
    for map in maps {
        for (node, pages) in &map.pages {
            let bytes = on.entry(*node).or_default();
            *bytes = bytes.saturating_add(pages.saturating_mul(map.page_bytes));
        }
    }
    let all = on.values().copied().fold(0, u64::saturating_add);
    let elsewhere = on
        .iter()
        .filter(|(node, _)| !wanted.contains(**node))
        .map(|(_, bytes)| *bytes)
        .fold(0, u64::saturating_add);
    let holds = all > 0 && elsewhere.saturating_mul(100) <= all.saturating_mul(MOST_ELSEWHERE);
    let mut found = match all {
        0 => "none".to_owned(),
        _ => format!("{} of {} there", percent(all - elsewhere, all), size(all)),
    };
    if elsewhere > 0 {
        let other = on.iter().filter(|(node, _)| !wanted.contains(**node));
        let other: Vec<String> = other
            .map(|(node, bytes)| format!("{} on node {node}", size(*bytes)))
            .collect();
        found.push_str(&format!("; {}", other.join(", ")));
    }
    case.check(what, nodes(wanted), found, Verdict::of(holds))
}
