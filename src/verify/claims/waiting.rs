//! How long its threads were ready and had no CPU: steal, as a guest would call it.

use super::Claim;
use crate::verify::words::{counted, percent};
use crate::verify::{Case, Check, Verdict};

pub(super) const CLAIM: Claim = Claim {
    name: "waiting and moving",
    holds: "With `--watch`, and told, not claimed: for how much of the time its threads were ready to run and had no CPU, and how many of those with one CPU of their own ran on another one last.",
    source: "kernel documentation: Scheduler Statistics; `/proc/PID/task/TID/schedstat`, the second number",
    of_processes: true,
    check,
};

fn check(case: &Case<'_>) -> Vec<Check> {
    let Some(earlier) = case.earlier.filter(|_| !case.wanted.threads.is_empty()) else {
        return Vec::new();
    };
    let passed_ms = case.running.uptime_ms.saturating_sub(earlier.uptime_ms);
    let before = |id: u32| earlier.processes.values().find_map(|p| p.threads.get(&id));
    let both = || {
        case.threads()
            .filter_map(|(id, now)| Some((before(id)?, now)))
    };
    let waited = both().map(|(then, now)| Some(now.waited_ns?.saturating_sub(then.waited_ns?)));
    let waited = match waited.collect::<Option<Vec<u64>>>() {
        Some(waited) => {
            let worst = waited.into_iter().max().unwrap_or_default();
            let most = percent(worst, passed_ms.saturating_mul(1_000_000));
            format!("at most {most} of the time")
        }
        None => "the kernel does not tell".to_owned(),
    };
    let moved = both().filter(|(then, now)| then.last_cpu != now.last_cpu);
    let moved = counted(moved.count(), "thread");
    vec![
        case.check("waiting for a CPU", "", waited, Verdict::Note),
        case.check("moved to another CPU", "", moved, Verdict::Note),
    ]
}
