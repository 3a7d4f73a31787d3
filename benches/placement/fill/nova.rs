//! Nova's order, after its documentation (admin guide: scheduling, CPU topologies, huge pages, PCI passthrough; the
//! configuration reference): hosts by the weighers of free memory, free CPUs and PCI devices, the first two turned to
//! pack; of a host every permutation of its cells, sorted to pack, until one holds the instance's cells one by one;
//! devices are looked at after a permutation has passed; CPUs by cores that have most free threads.
//!
//! In its favour: shared and pinned CPUs are one pool here (it wants them parted beforehand), isolated threads are had on
//! hosts with SMT, and whole cores on hosts without.

use infra_place::{Ask, L3, Numa, Threads};

use super::hand::{Part, has, loose, view};
use super::kinds::RATIO;
use super::rules::{Free, cells, threads, vfs};
use super::{Order, Put};
use infra_api::IdSet;
use infra_place::View;

pub(crate) struct Nova;

impl Order for Nova {
    fn name(&self) -> &'static str {
        "Nova"
    }

    /// Even cells only, and no L3.
    fn can_be_asked(&self, ask: &Ask) -> bool {
        !matches!(ask.numa, Numa::Cells(_)) && ask.cpus.l3 != L3::Require
    }

    fn place(&mut self, hosts: &[Free], number: usize, ask: &Ask) -> Vec<Put> {
        let passed: Vec<(usize, View)> = (hosts.iter().enumerate())
            .filter_map(|(host, free)| Some((host, filter(free, ask)?)))
            .collect();
        let frees: Vec<&Free> = passed.iter().map(|(host, _)| &hosts[*host]).collect();
        let weights = weights(&frees);
        let best = (0..passed.len()).max_by(|a, b| {
            let by_name = passed[*b].0.cmp(&passed[*a].0);
            weights[*a].total_cmp(&weights[*b]).then(by_name)
        });
        let put = |at: usize| Put {
            number,
            host: passed[at].0,
            view: passed[at].1.clone(),
        };
        best.map(put).into_iter().collect()
    }
}

/// Each weigher's values are brought between 0 and 1 and added up; the highest is taken.
fn weights(hosts: &[&Free]) -> Vec<f64> {
    let mut sums = vec![0.0; hosts.len()];
    let weighers: [fn(&Free) -> f64; 3] = [
        |free| free.bytes as f64,
        |free| free.cpus() as f64 - free.shared as f64 / RATIO as f64,
        |free| free.vfs.iter().filter(|vf| **vf).count() as f64,
    ];
    for weigher in weighers {
        let values: Vec<f64> = hosts.iter().map(|free| weigher(free)).collect();
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for (sum, value) in sums.iter_mut().zip(values) {
            if most > least {
                *sum -= (value - least) / (most - least);
            }
        }
    }
    sums
}

/// The filter, and what would be claimed.
fn filter(free: &Free, ask: &Ask) -> Option<View> {
    let Some(policy) = threads(ask) else {
        return loose(free, ask);
    };
    let wanted = match cells(ask) {
        none if none.is_empty() => vec![(ask.cpus.count, ask.memory.bytes)],
        cells => cells,
    };
    let hosts = sorted(free, vfs(ask) > 0);
    let mut way = Vec::new();
    permute(free, ask, policy, &hosts, &wanted, &mut way)
}

/// Cells of the host: those that have least free memory first, then those of fewest free CPUs, then by their devices,
/// each sort stable and the last one weightiest.
fn sorted(free: &Free, devices: bool) -> Vec<usize> {
    let mut cells: Vec<usize> = (0..free.machine.nodes.len()).collect();
    cells.sort_by_key(|node| free.bytes_of(*node));
    cells.sort_by_key(|node| free.cpus_of(*node));
    match devices {
        true => cells.sort_by_key(|node| std::cmp::Reverse(free.free_vfs(*node).len())),
        false => cells.sort_by_key(|node| free.free_vfs(*node).len()),
    }
    cells
}

/// Permutations in their order; the first that passes.
fn permute(
    free: &Free,
    ask: &Ask,
    policy: Threads,
    hosts: &[usize],
    wanted: &[(u32, u64)],
    way: &mut Vec<Part>,
) -> Option<View> {
    let Some((count, bytes)) = wanted.get(way.len()) else {
        return claim(free, ask, way);
    };
    for node in hosts {
        if way.iter().any(|part| part.node == Some(*node)) {
            continue;
        }
        let cpus = pack(free, *node, *count as usize, policy);
        let Some(cpus) = cpus.filter(|_| has(free, ask, *node, *bytes)) else {
            continue;
        };
        way.push(Part {
            node: Some(*node),
            cpus,
            count: *count,
            bytes: *bytes,
        });
        let found = permute(free, ask, policy, hosts, wanted, way);
        way.pop();
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Devices of one of its cells.
fn claim(free: &Free, ask: &Ask, way: &[Part]) -> Option<View> {
    let of = |part: &Part| {
        let mut there = free.free_vfs(part.node?);
        there.truncate(vfs(ask));
        (there.len() == vfs(ask)).then_some(there)
    };
    let found = way.iter().find_map(of)?;
    let place = view(free, ask, way, &found, None);
    free.run(0, place.taken.len() as u64).then_some(place)
}

/// Cores by how many free threads they have at least, most first: so many threads of each, in order.
fn pack(free: &Free, node: usize, count: usize, policy: Threads) -> Option<IdSet> {
    let machine = &free.machine;
    let of = |core: usize| machine.ids(core, free.cores[core]);
    let cores: Vec<usize> = machine.cores_of(node).collect();
    let threads = machine.cores[cores[0]].threads.len();
    if policy == Threads::Isolate {
        let whole = |core: &usize| of(*core).len() == threads;
        let first = |core: usize| of(core).first();
        let chosen: IdSet = (cores.iter().copied().filter(whole))
            .filter_map(first)
            .take(count)
            .collect();
        return (chosen.len() == count).then_some(chosen);
    }
    // Whole cores are asked for here, not only siblings.
    let least = match policy {
        Threads::Require => threads,
        Threads::Any | Threads::Prefer | Threads::Isolate => 1,
    };
    for together in (least..=threads).rev() {
        let able = cores.iter().filter(|core| of(**core).len() >= together);
        let chosen: Vec<u32> = able
            .flat_map(|core| of(*core).iter().take(together).collect::<Vec<_>>())
            .collect();
        if chosen.len() >= count && (policy != Threads::Require || count.is_multiple_of(threads)) {
            return Some(chosen.into_iter().take(count).collect());
        }
    }
    let linear: IdSet = (cores.iter()).fold(IdSet::new(), |all, core| &all | &of(*core));
    let enough = policy != Threads::Require && linear.len() >= count;
    enough.then(|| linear.iter().take(count).collect())
}
