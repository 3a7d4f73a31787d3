//! Its resource limits are those that were asked for.

use std::cmp::Ordering;

use super::Claim;
use crate::verify::{Case, Check, Verdict};

pub(super) const CLAIM: Claim = Claim {
    name: "limits",
    holds: "No hard limit of the first process is above the planned one. One below it is told: a program may lower its own.",
    source: "proc(5): `/proc/PID/limits`",
    of_processes: true,
    check,
};

fn check(case: &Case<'_>) -> Vec<Check> {
    let Some(main) = case.main() else {
        return Vec::new();
    };
    let words = |limit: Option<u64>| limit.map_or_else(|| "no limit".to_owned(), |n| n.to_string());
    let limits = case.wanted.ulimits.iter().map(|(name, wanted)| {
        // -1 is no limit.
        let hard = u64::try_from(wanted.hard).ok();
        let (found, verdict) = match main.limits.get(name) {
            Some((_, found)) => (words(*found), compared(*found, hard)),
            None => ("the kernel does not tell".to_owned(), Verdict::Unknown),
        };
        case.check(format!("limit of {name}"), words(hard), found, verdict)
    });
    limits.collect()
}

/// No limit is above any.
fn compared(found: Option<u64>, wanted: Option<u64>) -> Verdict {
    let (found, wanted) = (found.unwrap_or(u64::MAX), wanted.unwrap_or(u64::MAX));
    match found.cmp(&wanted) {
        Ordering::Equal => Verdict::Holds,
        Ordering::Less => Verdict::Note,
        Ordering::Greater => Verdict::Fails,
    }
}
