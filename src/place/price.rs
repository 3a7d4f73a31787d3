//! What a place costs that is known: the same numbers the search comes to, for a place nobody searched for.

use std::collections::BTreeSet;

use infra_api::{IdSet, L3, Threads};

use crate::ask::Ask;
use crate::cost::Cost;
use crate::devices;
use crate::fit::{Fit, Need, Place, Search};
use crate::room::Room;
use crate::topology::Topology;
use crate::waste::Waste;

/// What a place costs in a room without it.
#[must_use]
pub fn price(topology: &Topology, room: &Room, ask: &Ask, fit: &Fit) -> Cost {
    let pricing = Pricing {
        search: Search::new(topology, room, ask),
        topology,
        room,
        ask,
        place: &fit.place,
    };
    pricing.cost()
}

struct Pricing<'a> {
    search: Search<'a>,
    topology: &'a Topology,
    room: &'a Room,
    ask: &'a Ask,
    place: &'a Place,
}

impl Pricing<'_> {
    fn cost(&self) -> Cost {
        let own: IdSet = (self.place.cells.iter()).fold(IdSet::new(), |all, c| &all | &c.cpus);
        let shared = self.place.shared.as_ref();
        let on_nodes = shared.is_some_and(|s| s.on_nodes);
        let named = self.ask.cpus.set.as_ref();
        // Who shares has the nodes of his cells where these are his, else those of the CPUs that he names.
        let nodes: Vec<usize> = match (shared, named) {
            (Some(_), Some(set)) => self.search.nodes_of(set),
            (Some(_), None) if !on_nodes => Vec::new(),
            (Some(_), None) => (self.place.cells.iter()).filter_map(|c| c.node).collect(),
            (None, _) => self.search.nodes_of(&own),
        };
        let nodes: Vec<usize> = nodes
            .into_iter()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let some = Cost {
            remote_memory: self.remote_memory(),
            page_wish: self.page_wish(),
            extra_nodes: small(nodes.len().saturating_sub(1)),
            remote_devices: self.remote_devices(&nodes),
            ..Cost::NONE
        };
        if named.is_some() {
            return some;
        }
        let pairs = nodes
            .iter()
            .flat_map(|a| nodes.iter().filter(move |b| a < *b).map(move |b| (*a, *b)));
        let left = |(node, size, count): &(usize, usize, u64)| {
            self.room.nodes[*node].pages[*size].saturating_sub(*count)
        };
        let all = &own | &self.place.helpers;
        let free = &self.room.free_on(self.topology, &nodes) - &all;
        Cost {
            distance: pairs.map(|(a, b)| self.topology.distance(a, b)).sum(),
            waste: self.waste(&own, &all) + self.search.device_nodes(&nodes),
            left_over: if shared.is_some() {
                0
            } else {
                small(free.len())
            },
            pages_left: self.place.pages.iter().map(left).sum(),
            ..some
        }
    }

    fn remote_memory(&self) -> u32 {
        if let Some(shared) = &self.place.shared {
            let named = self.ask.cpus.set.is_some();
            return u32::from(!shared.on_nodes && !named && !self.place.pages.is_empty());
        }
        let near = |cell: &crate::fit::Placed| {
            let mut nodes = self.search.nodes_of(&cell.cpus).into_iter();
            nodes.all(|node| cell.node == Some(node))
        };
        // Where memory is on nodes without CPUs of its own it lies wherever there is some.
        let bare = |cell: &crate::fit::Placed| cell.cpus.is_empty();
        let cells = &self.place.cells;
        u32::from(cells.iter().any(bare) || !cells.iter().all(near))
    }

    fn page_wish(&self) -> u32 {
        let rank = |need: &Need, size: Option<u64>| {
            let size = size.unwrap_or(0);
            small(need.wishes.iter().position(|w| *w == size).unwrap_or(0))
        };
        let needs = self.search.needs();
        let cells = self.place.cells.iter().zip(&needs);
        cells.map(|(cell, need)| rank(need, cell.page_size)).sum()
    }

    fn remote_devices(&self, nodes: &[usize]) -> u32 {
        let bound: Vec<usize> = match self.place.shared.as_ref() {
            // Memory that is bound has its nodes, though the CPUs have none.
            Some(shared) if !shared.on_nodes && nodes.is_empty() => {
                let named = self.ask.memory.nodes.as_ref();
                named.map_or_else(Vec::new, |_| self.search.eligible())
            }
            _ => nodes.to_vec(),
        };
        let served_afar = self.search.serves_afar(&self.place.helpers, &bound);
        if self.place.devices.devices.is_empty() {
            return served_afar;
        }
        let only = Room {
            devices: self.place.devices.taken.clone(),
            ..self.room.clone()
        };
        let given = devices::give(self.topology, &only, &self.ask.devices, &bound);
        served_afar + given.map_or(0, |given| given.remote)
    }

    fn waste(&self, own: &IdSet, all: &IdSet) -> Waste {
        let threads = self.search.threads();
        let mut waste = Waste::NONE;
        let cores: BTreeSet<usize> = (all.iter())
            .filter_map(|cpu| self.topology.cpu(cpu))
            .map(|(core, _)| core)
            .collect();
        let mask = |of: &IdSet, core: usize| {
            let cpus = self.topology.cores[core].threads.iter().enumerate();
            cpus.filter(|(_, cpu)| of.contains(**cpu))
                .fold(0u64, |all, (bit, _)| all | 1 << bit)
        };
        for core in &cores {
            let (whole, open) = (
                self.topology.cores[*core].all(),
                self.room.cores[*core].open(),
            );
            let mine = mask(own, *core);
            if threads == Threads::Prefer && mine != 0 && mine != whole {
                waste = waste + Waste::SPLIT;
            }
            if open == whole {
                waste = waste + Waste::OPENED_CORE;
            }
        }
        let place = |core: &usize| {
            let core = &self.topology.cores[*core];
            (core.node, core.l3)
        };
        let domains: BTreeSet<_> = cores.iter().map(place).collect();
        for (node, l3) in domains {
            let of = self.topology.groups(node).iter().find(|g| g.l3 == l3);
            let cores = of.map_or(&[][..], |group| group.cores.as_slice());
            let open = |core: &usize| self.room.cores[*core].open();
            let counted = cores.iter().map(|core| open(core).count_ones());
            let taken = cores.iter().map(|core| mask(all, *core).count_ones());
            let (open_cpus, taken): (u32, u32) = (counted.sum(), taken.sum());
            waste = waste + Waste::left(open_cpus.saturating_sub(taken));
            let mine = cores.iter().any(|core| mask(own, *core) != 0);
            if mine && self.ask.cpus.l3 != L3::Any {
                waste = waste + Waste::L3;
            }
            let whole = |core: &usize| open(core) == self.topology.cores[*core].all();
            if l3.is_some() && cores.iter().all(whole) {
                waste = waste + Waste::OPENED_L3;
            }
        }
        waste
    }
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
