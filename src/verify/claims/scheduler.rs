//! The kernel schedules it as was asked.

use super::Claim;
use super::cpus::role;
use crate::verify::wanted::Role;
use crate::verify::words::answers;
use crate::verify::{Case, Check, Verdict};

pub(super) const CLAIM: Claim = Claim {
    name: "scheduler",
    holds: "Policy, priority and nice level of the first process's main thread are the planned ones. Others may change theirs. With `realtime` every vCPU's thread is of the class FIFO with this priority.",
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
    policy.into_iter().chain(nice).chain(vcpus(case)).collect()
}

fn vcpus(case: &Case<'_>) -> Option<Check> {
    let words = |policy: &str, priority: u32| format!("{policy}, priority {priority}");
    let expected = words("fifo", case.wanted.realtime?);
    let is_vcpu = |name: &str| matches!(role(name), Role::Vcpu(_));
    let threads = case.threads().filter(|(_, thread)| is_vcpu(&thread.name));
    let found: Vec<(String, &str)> = threads
        .map(|(_, thread)| (words(&thread.policy, thread.priority), thread.name.as_str()))
        .collect();
    let holds = !found.is_empty() && found.iter().all(|(words, _)| *words == expected);
    let told = answers(
        found.iter().map(|(words, name)| (words, *name)),
        "thread",
        |words| (*words).clone(),
    );
    Some(case.check("vCPUs' scheduler", expected, told, Verdict::of(holds)))
}
