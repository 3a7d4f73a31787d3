//! What comes and goes: kinds of workloads with how often each comes, and a sequence that a seed tells.

use infra_place::{Ask, Cell, Cpus, Devices, L3, Memory, Near, Numa, Policy, Threads};

use super::kinds::{GIB, PAGE, VF};

/// A kind of workload: how many of a hundred or so, and what it asks for.
#[derive(Clone)]
pub(crate) struct Sort {
    pub(crate) weight: u64,
    pub(crate) ask: Ask,
}

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// One of a sort comes. They are numbered as they come.
    Comes(usize),
    /// The one of this number goes, if it was placed.
    Goes(usize),
}

fn memory(gib: u64, huge: bool) -> Memory {
    Memory {
        bytes: gib * GIB,
        overhead_bytes: GIB / 4,
        page_sizes: if huge { vec![PAGE] } else { Vec::new() },
        nodes: None,
    }
}

fn own(count: u32, threads: Threads, gib: u64, huge: bool) -> Ask {
    Ask {
        cpus: Cpus {
            count,
            policy: Policy::Dedicated(threads),
            ..Cpus::default()
        },
        memory: memory(gib, huge),
        ..Ask::default()
    }
}

fn shared(count: u32, gib: u64) -> Ask {
    let mut ask = own(count, Threads::Any, gib, false);
    ask.cpus.policy = Policy::Shared;
    ask
}

fn with_vfs(mut ask: Ask, count: u32) -> Ask {
    ask.devices = vec![Devices {
        kind: VF.to_owned(),
        count,
        near: Near::Node,
        strict: true,
    }];
    ask
}

fn in_one_l3(mut ask: Ask) -> Ask {
    ask.cpus.l3 = L3::Require;
    ask
}

fn even(mut ask: Ask, cells: u32) -> Ask {
    ask.numa = Numa::Nodes(cells);
    ask
}

fn uneven(cells: &[(u32, u64)]) -> Ask {
    let count = cells.iter().map(|c| c.0).sum();
    let gib = cells.iter().map(|c| c.1).sum();
    let cell = |(cpus, gib): &(u32, u64)| Cell {
        cpus: *cpus,
        bytes: gib * GIB,
        page_sizes: Vec::new(),
    };
    let mut ask = own(count, Threads::Prefer, gib, true);
    ask.numa = Numa::Cells(cells.iter().map(cell).collect());
    ask
}

/// What every order of placing that is compared can be asked for: shared and pinned CPUs, whole cores, plain memory,
/// huge pages, a VF.
pub(crate) fn plain() -> Vec<Sort> {
    let sorts = [
        (24, shared(2, 4)),
        (14, shared(4, 8)),
        (4, shared(2, 24)),
        (18, own(2, Threads::Any, 4, false)),
        (14, own(4, Threads::Prefer, 8, true)),
        (9, own(8, Threads::Require, 16, true)),
        (3, own(16, Threads::Require, 32, true)),
        (6, with_vfs(own(4, Threads::Prefer, 4, true), 1)),
    ];
    sorted(sorts)
}

/// The same and isolated threads, one L3, even and uneven cells, single CPUs.
pub(crate) fn all() -> Vec<Sort> {
    let mut sorts = plain();
    sorts.extend(sorted([
        (6, own(1, Threads::Any, 2, false)),
        (3, with_vfs(own(2, Threads::Isolate, 4, true), 1)),
        (4, in_one_l3(own(6, Threads::Any, 8, true))),
        (2, even(own(12, Threads::Prefer, 16, true), 2)),
        (2, uneven(&[(4, 4), (8, 16)])),
        (1, uneven(&[(6, 4), (3, 12), (2, 2)])),
    ]));
    sorts
}

fn sorted<const N: usize>(sorts: [(u64, Ask); N]) -> Vec<Sort> {
    let sort = |(weight, ask)| Sort { weight, ask };
    sorts.into_iter().map(sort).collect()
}

/// Numbers that a seed tells: Marsaglia's xorshift.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % sides
    }
}

/// So many arrivals; `going` of a hundred are followed by the leaving of one who is there.
pub(crate) fn sequence(sorts: &[Sort], count: usize, going: u64, seed: u64) -> Vec<Event> {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    for _ in 0..20 {
        dice.below(2);
    }
    let weight = sorts.iter().map(|s| s.weight).sum();
    let mut there: Vec<usize> = Vec::new();
    let mut events = Vec::new();
    for number in 0..count {
        let mut at = dice.below(weight);
        let found = sorts.iter().position(|sort| {
            let here = at < sort.weight;
            at = at.saturating_sub(sort.weight);
            here
        });
        events.extend(found.map(Event::Comes));
        there.push(number);
        if dice.below(100) < going {
            let which = usize::try_from(dice.below(there.len() as u64)).unwrap_or(0);
            events.push(Event::Goes(there.swap_remove(which)));
        }
    }
    events
}
