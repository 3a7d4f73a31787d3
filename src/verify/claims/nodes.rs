//! Its memory may come from the nodes it was placed on, and no other.

use super::Claim;
use crate::verify::words::{answers, nodes};
use crate::verify::{Case, Check, Verdict};

pub(super) const CLAIM: Claim = Claim {
    name: "memory nodes",
    holds: "`Mems_allowed_list` of every thread is exactly the planned nodes. Nothing is claimed of a machine whose memory mode only prefers them.",
    source: "proc(5): `/proc/PID/task/TID/status`",
    of_processes: true,
    check,
};

fn check(case: &Case<'_>) -> Vec<Check> {
    let Some(wanted) = &case.wanted.nodes else {
        return Vec::new();
    };
    // The kernel's own threads for it take no memory of theirs.
    let threads = || {
        case.processes
            .iter()
            .flat_map(|(_, process)| process.threads.values())
    };
    let verdict = Verdict::of(threads().all(|thread| thread.nodes == *wanted));
    let said = threads().map(|thread| (&thread.nodes, thread.name.as_str()));
    let found = answers(said, "thread", |set| nodes(set));
    vec![case.check("memory nodes", nodes(wanted), found, verdict)]
}
