//! Which CPUs of those that are free: whole cores, single threads of cores, or whichever.

use infra_api::IdSet;

use crate::declared::Threads;
use crate::inventory::HostInventory;

/// CPUs chosen, and what choosing them takes out of reach beside them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pick {
    pub(super) cpus: IdSet,
    /// `cpus`, and the idle threads of isolated cores.
    pub(super) taken: IdSet,
    pub(super) split_cores: u32,
}

/// The free threads of each core that has any, in the order of their lowest CPUs.
fn cores(host: &HostInventory, free: &IdSet) -> Vec<(IdSet, IdSet)> {
    let mut cores: Vec<(IdSet, IdSet)> = Vec::new();
    let mut seen = IdSet::new();
    for cpu in free.iter().filter(|c| host.cpus.contains(*c)) {
        if !seen.contains(cpu) {
            let all = host.siblings(cpu);
            seen = &seen | &all;
            cores.push((&all & free, all));
        }
    }
    cores
}

/// How many CPUs of `free` could be had at most under a policy.
pub(super) fn most(host: &HostInventory, free: &IdSet, threads: Threads) -> usize {
    let whole = |(open, all): &&(IdSet, IdSet)| open == all;
    let cores = cores(host, free);
    match threads {
        Threads::Any | Threads::Prefer => free.len(),
        Threads::Require => cores.iter().filter(whole).map(|(open, _)| open.len()).sum(),
        Threads::Isolate => cores.iter().filter(whole).count(),
    }
}

/// The whole cores that come to exactly `count` CPUs, low ones rather than high ones: none where no set of them does.
fn exactly(cores: &[(IdSet, IdSet)], count: usize) -> Vec<(IdSet, IdSet)> {
    // Of each sum the last core of the first way to it.
    let mut last = vec![None; count + 1];
    for (index, (open, _)) in cores.iter().enumerate() {
        for sum in (open.len()..=count).rev() {
            let rest = sum - open.len();
            if last[sum].is_none() && (rest == 0 || last[rest].is_some()) {
                last[sum] = Some(index);
            }
        }
    }
    let mut chosen = Vec::new();
    let mut rest = count;
    while let Some(index) = last[rest] {
        rest -= cores[index].0.len();
        chosen.push(cores[index].clone());
    }
    chosen
}

/// Exactly `count` CPUs of `free`, or nothing where they cannot be had.
pub(super) fn pick(
    host: &HostInventory,
    free: &IdSet,
    count: usize,
    threads: Threads,
) -> Option<Pick> {
    let mut cores = cores(host, free);
    match threads {
        // Cores that are broken already first, so that whole ones stay whole.
        Threads::Any => {
            cores.sort_by_key(|(open, all)| (open == all, open.len() > count, open.first()))
        }
        Threads::Prefer => {
            cores.sort_by_key(|(open, all)| (open != all, open.len() > count, open.first()))
        }
        Threads::Isolate => cores.retain(|(open, all)| open == all),
        Threads::Require => {
            cores.retain(|(open, all)| open == all);
            cores = exactly(&cores, count);
        }
    }
    let per_core = if threads == Threads::Isolate {
        1
    } else {
        usize::MAX
    };
    let (mut cpus, mut taken, mut split_cores) = (IdSet::new(), IdSet::new(), 0);
    for (open, all) in cores {
        let wanted = (count - cpus.len()).min(per_core);
        if wanted == 0 {
            break;
        }
        let chosen: IdSet = open.iter().take(wanted).collect();
        split_cores += u32::from(chosen != all && threads != Threads::Isolate);
        taken = &taken
            | if threads == Threads::Isolate {
                &all
            } else {
                &chosen
            };
        cpus = &cpus | &chosen;
    }
    (cpus.len() == count).then_some(Pick {
        cpus,
        taken,
        split_cores,
    })
}

/// Whether these very CPUs satisfy a policy, and what they take.
pub(super) fn check(
    host: &HostInventory,
    cpus: &IdSet,
    free: &IdSet,
    threads: Threads,
) -> Option<Pick> {
    if !cpus.is_subset(free) {
        return None;
    }
    let mut taken = cpus.clone();
    let mut split_cores = 0;
    for cpu in cpus {
        let all = host.siblings(cpu);
        let own = &all & cpus;
        match threads {
            Threads::Require if own != all => return None,
            Threads::Isolate if own.len() != 1 || !all.is_subset(free) => return None,
            Threads::Isolate => taken = &taken | &all,
            _ => split_cores += u32::from(own != all && own.first() == Some(cpu)),
        }
    }
    Some(Pick {
        cpus: cpus.clone(),
        taken,
        split_cores,
    })
}

/// For messages: what the policy adds to "dedicated CPUs".
pub(super) fn words(threads: Threads) -> &'static str {
    match threads {
        Threads::Any | Threads::Prefer => "",
        Threads::Require => " in whole cores",
        Threads::Isolate => ", each on a core of its own,",
    }
}

/// For messages: what is wrong with CPUs that were named and are free, and yet do not satisfy a policy.
pub(super) fn unfit(threads: Threads) -> &'static str {
    match threads {
        Threads::Any | Threads::Prefer => "cannot be had",
        Threads::Require => "is not made of whole cores, as `threads` requires",
        Threads::Isolate => {
            "is not one thread of each core with the others idle, as `threads` requires"
        }
    }
}
