//! It runs.

use super::Claim;
use crate::verify::wanted::Runs;
use crate::verify::words::some;
use crate::verify::{Case, Check, Verdict};

pub(super) const CLAIM: Claim = Claim {
    name: "processes",
    holds: "There is a process of it: with the machine's `-uuid` on its command line, or in the control group of the container or unit. Of a task there need be none.",
    source: "proc(5): `/proc/PID/cmdline`, `/proc/PID/cgroup`",
    of_processes: false,
    check,
};

fn check(case: &Case<'_>) -> Vec<Check> {
    let ends = match case.wanted.runs {
        Runs::Nothing => return Vec::new(),
        Runs::On => false,
        Runs::ToAnEnd => true,
    };
    let names: Vec<&str> = case
        .processes
        .iter()
        .filter_map(|(pid, process)| Some(process.threads.get(pid)?.name.as_str()))
        .collect();
    let (found, verdict) = match (case.processes.len(), ends) {
        (0, true) => ("none: it ends by itself".to_owned(), Verdict::Note),
        (0, false) => ("none".to_owned(), Verdict::Fails),
        (1, _) => (format!("1: {}", some(&names)), Verdict::Holds),
        (n, _) => (format!("{n}: {}", some(&names)), Verdict::Holds),
    };
    let expected = if ends { "any" } else { "at least one" };
    vec![case.check("processes", expected, found, verdict)]
}
