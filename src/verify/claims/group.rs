//! Its control group leaves it what was planned: what a thread that is started tomorrow gets, too.

use infra_api::IdSet;
use infra_api::running::Most;

use super::Claim;
use crate::verify::wanted::Role;
use crate::verify::words::{cpus, nodes, size};
use crate::verify::{Case, Check, Verdict};

pub(super) const CLAIM: Claim = Claim {
    name: "control group",
    holds: "`cpuset.cpus.effective` and `cpuset.mems.effective` (with version 1 `cpuset.effective_cpus` and `cpuset.effective_mems`) of the group of the container or unit, of a machine of its first process's, are the planned sets; `memory.max` (`memory.limit_in_bytes`) and `pids.max` are the planned limits, memory in whole pages. The group of a unit that is in a slice is below the slice's.",
    source: "kernel documentation: Control Group v2, CPUSETS",
    of_processes: true,
    check,
};

/// The kernel keeps a limit of memory in whole pages; nowhere are ordinary ones larger.
const LARGEST_PAGE: u64 = 64 << 10;

fn check(case: &Case<'_>) -> Vec<Check> {
    let Some(allowed) = case.group() else {
        return Vec::new();
    };
    let set = |what: &str, wanted: &IdSet, found: Option<&IdSet>, words: fn(&IdSet) -> String| {
        let verdict = found.map_or(Verdict::Fails, |found| Verdict::of(found == wanted));
        let found = found.map_or_else(|| "it has no cpuset".to_owned(), words);
        case.check(
            format!("control group: {what}"),
            words(wanted),
            found,
            verdict,
        )
    };
    let most = |what: &str, wanted: (u64, u64), found: Option<Most>, words: fn(u64) -> String| {
        let (wanted, less) = wanted;
        let holds =
            |found| matches!(found, Most::At(found) if found <= wanted && wanted - found < less);
        let verdict = found.map_or(Verdict::Unknown, |found| Verdict::of(holds(found)));
        let found = match found {
            Some(Most::At(found)) => words(found),
            Some(Most::None) => "no limit".to_owned(),
            None => "the kernel does not tell".to_owned(),
        };
        case.check(
            format!("control group: {what}"),
            words(wanted),
            found,
            verdict,
        )
    };
    let wanted = case.wanted;
    let threads = wanted
        .threads
        .get(&Role::Any)
        .or_else(|| wanted.threads.get(&Role::Emulator));
    let checks = [
        threads.map(|wanted| set("CPUs", wanted, allowed.cpus.as_ref(), cpus)),
        wanted
            .nodes
            .as_ref()
            .map(|wanted| set("memory nodes", wanted, allowed.nodes.as_ref(), nodes)),
        wanted
            .memory_bytes
            .map(|bytes| most("memory", (bytes, LARGEST_PAGE), allowed.memory_bytes, size)),
        wanted
            .pids
            .map(|pids| most("tasks", (pids, 1), allowed.pids, |pids| pids.to_string())),
        wanted.slice.as_ref().map(|slice| within(case, slice)),
    ];
    checks.into_iter().flatten().collect()
}

/// Of the groups by which it is known: in other hierarchies it may be anywhere.
fn within(case: &Case<'_>, slice: &str) -> Check {
    let slice = format!("{slice}.slice");
    let trace = case.subject.trace.as_ref();
    let all = case
        .processes
        .iter()
        .flat_map(|(_, process)| &process.groups);
    let mut own = all.filter_map(|group| trace?.group(group));
    let outside = own.find(|group| !group.split('/').any(|step| step == slice));
    let found = outside.map_or_else(|| slice.clone(), str::to_owned);
    let verdict = Verdict::of(outside.is_none());
    case.check("control group: slice", slice, found, verdict)
}
