//! Nobody else runs on its CPUs.

use infra_api::Trace;
use infra_api::running::{Running, Thread};

use super::Claim;
use crate::verify::words::{counted, cpus, percent, some};
use crate::verify::{Case, Check, Verdict};

pub(super) const CLAIM: Claim = Claim {
    name: "dedicated CPUs",
    holds: "With `--watch`: of the time that passed, dedicated CPUs have run anything but its threads for less than 1 %, the kernel's own work among it. Without it nothing is claimed; what threads of others the kernel could put there is told.",
    source: "proc(5): `/proc/stat`; `cpu.stat` (`cpuacct.usage`) of the control group, of a machine `/proc/PID/task/TID/schedstat` of its vCPUs",
    of_processes: true,
    check,
};

/// In percent.
const MOST_OF_OTHERS: u64 = 1;

fn check(case: &Case<'_>) -> Vec<Check> {
    let wanted = &case.wanted.alone;
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut checks = vec![may(case)];
    checks.extend(did(case));
    checks
}

/// Threads of others that may run there.
fn may(case: &Case<'_>) -> Check {
    let wanted = &case.wanted.alone;
    let there = |thread: &&Thread| !thread.cpus.is_disjoint(wanted);
    let others: Vec<&str> = others(case)
        .filter(there)
        .map(|t| t.name.as_str())
        .collect();
    let what = format!("dedicated {}: others allowed", cpus(wanted));
    match others.len() {
        0 => case.check(what, "none", "none", Verdict::Holds),
        n => case.check(
            what,
            "none",
            format!("{}: {}", counted(n, "thread"), some(&others)),
            Verdict::Note,
        ),
    }
}

/// Threads of whoever is not it.
fn others<'a>(case: &'a Case<'_>) -> impl Iterator<Item = &'a Thread> {
    let own = |pid: &u32| {
        let mut all = case.processes.iter().chain(&case.helpers);
        all.any(|(own, _)| own == pid)
    };
    let processes = case
        .running
        .processes
        .iter()
        .filter(move |(pid, _)| !own(pid));
    let threads = processes.flat_map(|(_, process)| process.threads.values());
    threads.chain(case.running.others.values())
}

/// How long others ran there while it was watched.
fn did(case: &Case<'_>) -> Option<Check> {
    let (wanted, earlier) = (&case.wanted.alone, case.earlier?);
    let passed_ms = case.running.uptime_ms.checked_sub(earlier.uptime_ms)?;
    let what = format!("dedicated {}: others running", cpus(wanted));
    let expected = format!("less than {MOST_OF_OTHERS} %");
    let busy = |running: &Running| -> Option<u64> {
        let busy = wanted.iter().map(|cpu| running.busy_ns.get(&cpu).copied());
        let busy = busy.collect::<Option<Vec<u64>>>()?;
        Some(busy.into_iter().fold(0, u64::saturating_add))
    };
    let (Some(now), Some(then)) = (busy(case.running), busy(earlier)) else {
        let found = "the kernel does not tell";
        return Some(case.check(what, expected, found, Verdict::Unknown));
    };
    let own = own_ns(case, earlier).unwrap_or_default();
    let others = now.saturating_sub(then).saturating_sub(own);
    let whole = passed_ms
        .saturating_mul(1_000_000)
        .saturating_mul(wanted.len() as u64);
    let holds = others.saturating_mul(100) < whole.saturating_mul(MOST_OF_OTHERS);
    let found = format!("{} of {} s", percent(others, whole), seconds(passed_ms));
    Some(case.check(what, expected, found, Verdict::of(holds)))
}

/// What it ran itself meanwhile: all of its control group, whoever of it has ended since, where that is bound to these CPUs;
/// else its threads that are.
fn own_ns(case: &Case<'_>, earlier: &Running) -> Option<u64> {
    let wanted = &case.wanted.alone;
    // Of a machine each vCPU has a group of its own.
    let grouped = matches!(case.subject.trace, Some(Trace::Group(_)));
    let whole = grouped
        && case
            .threads()
            .all(|(_, thread)| thread.cpus.is_subset(wanted));
    if let Some(now) = case
        .group()
        .filter(|_| whole)
        .and_then(|group| group.ran_ns)
    {
        let then = Case::new(case.subject, earlier, None);
        return Some(now.saturating_sub(then.group()?.ran_ns?));
    }
    let ran = |id: u32, thread: &Thread| {
        let before = earlier.processes.values().find_map(|p| p.threads.get(&id));
        let before = before.map_or(0, |thread| thread.ran_ns);
        thread.ran_ns.saturating_sub(before)
    };
    let own = case
        .threads()
        .filter(|(_, thread)| thread.cpus.is_subset(wanted));
    Some(
        own.map(|(id, thread)| ran(id, thread))
            .fold(0, u64::saturating_add),
    )
}

fn seconds(ms: u64) -> String {
    format!("{}.{}", ms / 1000, ms % 1000 / 100)
}
