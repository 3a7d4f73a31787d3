//! Every way to give a node's CPUs to a cell.

use std::collections::{BTreeMap, BTreeSet};

use infra_place::{Ask, L3, Policy, Threads};

use crate::tiers::{self, CpuTiers};
use crate::world::{State, World};

/// What a cell gets, and what of it nobody else may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Way {
    pub cpus: u64,
    pub taken: u64,
}

/// All subsets of so many bits.
pub(crate) fn subsets(of: u64, count: u32) -> Vec<u64> {
    let mut found = Vec::new();
    let mut sub = of;
    loop {
        if sub.count_ones() == count {
            found.push(sub);
        }
        if sub == 0 {
            return found;
        }
        sub = (sub - 1) & of;
    }
}

/// What a cell may get of these CPUs, if they are what it gets: H1, H4 and H6.
pub(crate) fn may_have(
    world: &World,
    state: &State,
    threads: Threads,
    l3: L3,
    cpus: u64,
) -> Option<Way> {
    let open = state.open();
    if cpus & !open != 0 {
        return None;
    }
    let mut taken = cpus;
    for core in world.cores_of(cpus) {
        let core = world.core_mask(core);
        match threads {
            Threads::Any | Threads::Prefer => {}
            Threads::Require if cpus & core == core => {}
            Threads::Isolate if (cpus & core).count_ones() == 1 && core & !open == 0 => {
                taken |= core
            }
            Threads::Require | Threads::Isolate => return None,
        }
    }
    if matches!(l3, L3::Any | L3::Prefer) || cpus == 0 {
        return Some(Way { cpus, taken });
    }
    let mut domains = world.cores_of(cpus).map(|core| world.cores[core].l3);
    let domain = domains.next()??;
    if domains.any(|other| other != Some(domain)) {
        return None;
    }
    if l3 == L3::Alone {
        let domain = world.l3_cpus(domain);
        if domain & !open != 0 {
            return None;
        }
        taken |= domain;
    }
    Some(Way { cpus, taken })
}

/// The CPUs that helpers may be on beside a cell: never a thread of a core that is isolated.
pub(crate) fn helpers_beside(world: &World, threads: Threads, cpus: u64) -> u64 {
    match threads {
        Threads::Isolate => !world
            .cores_of(cpus)
            .fold(0, |all, c| all | world.core_mask(c)),
        _ => !cpus,
    }
}

/// A cell for the enumeration: its node and how many CPUs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub node: usize,
    pub count: u32,
}

/// Parts of CPUs, the first of which has the helpers.
pub(crate) struct Cores<'a> {
    world: &'a World,
    state: &'a State,
    ask: &'a Ask,
    threads: Threads,
    ways: BTreeMap<(usize, u32), Vec<Way>>,
}

impl<'a> Cores<'a> {
    pub(crate) fn new(world: &'a World, state: &'a State, ask: &'a Ask) -> Self {
        Self {
            world,
            state,
            ask,
            threads: threads(ask),
            ways: BTreeMap::new(),
        }
    }

    fn ways(&mut self, part: Part) -> Vec<Way> {
        let (world, state, threads, l3) = (self.world, self.state, self.threads, self.ask.cpus.l3);
        let found = self.ways.entry((part.node, part.count)).or_insert_with(|| {
            let mut seen = BTreeSet::new();
            subsets(state.open() & world.node_cpus(part.node), part.count)
                .into_iter()
                .filter(|cpus| seen.insert(alike(world, state, *cpus)))
                .filter_map(|cpus| may_have(world, state, threads, l3, cpus))
                .collect()
        });
        found.clone()
    }

    /// The best tiers of CPUs on these nodes, if there is any way at all.
    pub(crate) fn best(&mut self, parts: &[Part]) -> Option<CpuTiers> {
        let shared = self.ask.cpus.policy == Policy::Shared;
        let all: Vec<Vec<Way>> = (parts.iter())
            .map(|part| {
                self.ways(Part {
                    count: if shared { 0 } else { part.count },
                    ..*part
                })
            })
            .collect();
        if all.iter().any(Vec::is_empty) {
            return None;
        }
        let mut best = None;
        self.walk(parts, &all, &mut Vec::new(), &mut best);
        best
    }

    fn walk(
        &self,
        parts: &[Part],
        all: &[Vec<Way>],
        chosen: &mut Vec<Way>,
        best: &mut Option<CpuTiers>,
    ) {
        let Some(ways) = all.get(chosen.len()) else {
            return self.finish(parts, chosen, best);
        };
        for way in ways {
            chosen.push(*way);
            self.walk(parts, all, chosen, best);
            chosen.pop();
        }
    }

    fn finish(&self, parts: &[Part], chosen: &[Way], best: &mut Option<CpuTiers>) {
        let cpus = chosen.iter().fold(0, |all, way| all | way.cpus);
        let taken = chosen.iter().fold(0, |all, way| all | way.taken);
        let nodes = parts.iter().fold(0, |all, part| all | 1u64 << part.node);
        let first = self.state.open() & self.world.node_cpus(parts[0].node);
        let beside = first & helpers_beside(self.world, self.threads, cpus);
        for helpers in subsets(beside, self.ask.helpers) {
            let taken = taken | helpers;
            let bound = if self.ask.cpus.policy == Policy::Shared {
                nodes
            } else {
                0
            };
            if !self.state.run(self.world, self.ask, bound, taken) {
                continue;
            }
            let tiers = tiers::cpus(self.world, self.state, self.ask, nodes, cpus, helpers);
            if best.is_none_or(|best| tiers < best) {
                *best = Some(tiers);
            }
        }
    }
}

pub(crate) fn threads(ask: &Ask) -> Threads {
    match ask.cpus.policy {
        Policy::Dedicated(threads) => threads,
        Policy::Shared => Threads::Any,
    }
}

/// Equal for CPUs that differ only in which of some like cores, and which threads of a core, they are.
fn alike(world: &World, state: &State, cpus: u64) -> Vec<(Option<usize>, u32, u32, u32)> {
    let mut cores: Vec<_> = (world.cores_of(cpus))
        .map(|core| {
            let mask = world.core_mask(core);
            let count = |of: u64| (mask & of).count_ones();
            (
                world.cores[core].l3,
                count(u64::MAX),
                count(state.open()),
                count(cpus),
            )
        })
        .collect();
    cores.sort_unstable();
    cores
}

/// All ways to part a number into so many parts of at least one.
pub(crate) fn compositions(total: u32, parts: usize) -> Vec<Vec<u32>> {
    if parts == 1 {
        return if total >= 1 {
            vec![vec![total]]
        } else {
            Vec::new()
        };
    }
    (1..=total)
        .flat_map(|first| {
            compositions(total - first, parts - 1)
                .into_iter()
                .map(move |mut rest| {
                    rest.insert(0, first);
                    rest
                })
        })
        .collect()
}
