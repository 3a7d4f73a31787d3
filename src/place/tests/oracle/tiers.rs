//! What a place costs, by the definitions in `cost.rs`.

use infra_place::{Ask, L3, Policy, Threads};

use crate::cpus::threads;
use crate::world::{State, World, bits};

/// The tiers that CPUs decide, the weightiest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CpuTiers {
    pub extra_l3s: u64,
    pub split_cores: u64,
    pub opened_l3s: u64,
    pub opened_cores: u64,
    pub left_in_l3s: u64,
    pub left_over: u64,
}

/// All of them, in the order in which they are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tiers {
    pub remote_memory: u64,
    pub page_wish: u64,
    pub extra_nodes: u64,
    pub distance: u64,
    pub remote_devices: u64,
    pub cpus: CpuTiers,
    pub device_nodes: u64,
    pub pages_left: u64,
}

impl Tiers {
    pub(crate) fn list(&self) -> [u64; 13] {
        [
            self.remote_memory,
            self.page_wish,
            self.extra_nodes,
            self.distance,
            self.remote_devices,
            self.cpus.extra_l3s,
            self.cpus.split_cores,
            self.device_nodes,
            self.cpus.opened_l3s,
            self.cpus.opened_cores,
            self.cpus.left_in_l3s,
            self.cpus.left_over,
            self.pages_left,
        ]
    }
}

/// What these CPUs on these nodes cost.
pub(crate) fn cpus(
    world: &World,
    state: &State,
    ask: &Ask,
    nodes: u64,
    cpus: u64,
    helpers: u64,
) -> CpuTiers {
    let (open, all) = (state.open(), cpus | helpers);
    let mut tiers = CpuTiers::default();
    for domain in domains(world, all) {
        let count = |of: u64| u64::from((domain.cpus & of).count_ones());
        tiers.left_in_l3s += count(open) - count(all);
        tiers.extra_l3s += u64::from(count(cpus) > 0 && ask.cpus.l3 != L3::Any);
        tiers.opened_l3s += u64::from(domain.known && domain.cpus & !open == 0);
    }
    tiers.extra_l3s = tiers.extra_l3s.saturating_sub(1);
    for core in world.cores_of(all) {
        let core = world.core_mask(core);
        let split = threads(ask) == Threads::Prefer && core & cpus != 0 && core & !cpus != 0;
        tiers.split_cores += u64::from(split);
        tiers.opened_cores += u64::from(core & !open == 0);
    }
    if ask.cpus.policy != Policy::Shared {
        let free = bits(nodes).fold(0, |all, node| all | world.node_cpus(node)) & state.free;
        tiers.left_over = u64::from((free & !all).count_ones());
    }
    tiers
}

/// What of a domain of L3 is on a node.
struct Domain {
    cpus: u64,
    known: bool,
}

/// The domains of these CPUs, those of each node for themselves.
fn domains(world: &World, cpus: u64) -> Vec<Domain> {
    let place = |core: usize| (world.cores[core].node, world.cores[core].l3);
    let mut places: Vec<_> = world.cores_of(cpus).map(place).collect();
    places.sort_unstable();
    places.dedup();
    let of = |of: &(usize, Option<usize>)| Domain {
        known: of.1.is_some(),
        cpus: (0..world.cores.len())
            .filter(|core| place(*core) == *of)
            .fold(0, |all, core| all | world.core_mask(core)),
    };
    places.iter().map(of).collect()
}

/// Free devices on the nodes of who asks for none.
pub(crate) fn device_nodes(world: &World, state: &State, ask: &Ask, nodes: u64) -> u64 {
    if ask.cpus.policy == Policy::Shared || ask.devices.iter().any(|d| d.count > 0) {
        return 0;
    }
    let there = bits(state.devices).map(|d| &world.devices[d]);
    let near = there.filter(|d| !d.kinds.is_empty() && d.node.is_some_and(|n| nodes >> n & 1 == 1));
    near.count() as u64
}
