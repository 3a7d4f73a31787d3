//! The kernel schedules it as was asked.

use super::Claim;
use crate::verify::{Case, Check, Verdict};

pub(super) const CLAIM: Claim = Claim {
    name: "scheduler",
    holds: "Policy, priority and nice level of the first process's main thread are the planned ones. Others may change theirs.",
    source: "proc(5): `/proc/PID/task/TID/stat`, fields 19, 40 and 41",
    of_processes: true,
    check,
};

fn check(case: &Case<'_>) -> Vec<Check> {
    let (wanted, Some(found)) = (&case.wanted.scheduling, case.main_thread()) else {
        return Vec::new();
    };
    let policy = wanted.policy.as_ref().map(|policy| {
        let words = |policy: &str, priority: u32| match priority {
            0 => policy.to_owned(),
            _ => format!("{policy}, priority {priority}"),
        };
        let expected = words(policy, wanted.priority.unwrap_or_default());
        let found = words(&found.policy, found.priority);
        let verdict = Verdict::of(expected == found);
        case.check("scheduler", expected, found, verdict)
    });
    let nice = wanted.nice.map(|nice| {
        let verdict = Verdict::of(found.nice == nice);
        case.check(
            "nice level",
            nice.to_string(),
            found.nice.to_string(),
            verdict,
        )
    });
    policy.into_iter().chain(nice).collect()
}
