//! The search on one host: what every part of it looks at, and the order of its attempts.

use infra_api::Threads;
use std::cell::{Cell as Counter, OnceCell};

use crate::ask::{Ask, Near, Numa, Policy};
use crate::cost::Cost;
use crate::cpus::{Pick, Rules, Table};
use crate::devices::{self, Given};
use crate::fit::{Fit, Place, Placed, Shared};
use crate::memory::{Demand, positions};
use crate::refusal::Constraint;
use crate::room::Room;
use crate::topology::{Node, NodeKind, Topology};
use crate::waste::Waste;

/// Nodes and sets of nodes looked at for one workload on one host at most.
pub(crate) const STEPS: u32 = 50_000;

/// One workload, one host.
pub(crate) struct Search<'a> {
    pub(crate) topology: &'a Topology,
    pub(crate) room: &'a Room,
    pub(crate) ask: &'a Ask,
    /// Of each node, made when it is first asked for.
    tables: Vec<OnceCell<Table<'a>>>,
    /// Of each node, what its devices cost who wants none.
    devices: Vec<OnceCell<Waste>>,
    steps: Counter<u32>,
    /// A place was passed over for what it leaves to who shares.
    pub(super) left_too_little: Counter<bool>,
}

/// What a cell needs of its node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) cpus: u32,
    pub(crate) helpers: u32,
    pub(crate) bytes: u64,
    /// Sizes of pages, the preferred first; 0 is ordinary.
    pub(crate) wishes: Vec<u64>,
}

/// A node that can hold a cell, with what it costs there.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    pub(crate) node: usize,
    /// Which of its wishes it gets.
    pub(crate) wish: u32,
    /// Position of the size of its pages; none for ordinary ones.
    pub(crate) pages: Option<(usize, u64)>,
    pub(crate) waste: Waste,
    pub(crate) left_over: u32,
    pub(crate) pages_left: u64,
}

impl<'a> Search<'a> {
    pub(crate) fn new(topology: &'a Topology, room: &'a Room, ask: &'a Ask) -> Self {
        Self {
            topology,
            room,
            ask,
            tables: (0..topology.nodes.len()).map(|_| OnceCell::new()).collect(),
            devices: vec![OnceCell::new(); topology.nodes.len()],
            steps: Counter::new(0),
            left_too_little: Counter::new(false),
        }
    }

    /// The best place.
    pub(crate) fn best(&self) -> Result<Fit, Constraint> {
        if let Some(constraint) = self.hopeless() {
            return Err(constraint);
        }
        let found = match (&self.ask.cpus.set, &self.ask.numa) {
            (Some(set), _) => return self.named(set),
            (None, Numa::Auto) => self.anywhere(),
            (None, Numa::Nodes(_) | Numa::Cells(_)) => self.cells(&self.needs()),
        };
        let found = found.map(|fit| Fit {
            proven: !self.exhausted(),
            ..fit
        });
        self.or_leaving_more(found).ok_or_else(|| self.why())
    }

    /// One step more; false where there are none left.
    pub(crate) fn step(&self) -> bool {
        self.steps.set(self.steps.get().saturating_add(1));
        !self.exhausted()
    }

    pub(crate) fn exhausted(&self) -> bool {
        self.steps.get() > STEPS
    }

    /// On as few nodes as may be, each with its part of the memory; where none will do, wherever there are CPUs.
    fn anywhere(&self) -> Option<Fit> {
        if self.shared() {
            return self.sharing();
        }
        let wishes = self.wishes(&self.ask.memory.page_sizes);
        let most = self.seats_at_most();
        for wish in 0..wishes.len() {
            let one = Need {
                wishes: wishes.clone(),
                ..self.whole()
            };
            if let Some(fit) = self.cells_with(&[one], Some(wish)) {
                return Some(fit);
            }
            let found = (2..=most).find_map(|count| self.spread(count, wish, &wishes, true));
            if found.is_some() {
                return found;
            }
        }
        // Without memory of their own the nodes are no cells: what is to be undivided is on one of them.
        let most = if self.ask.cpus.l3.undivided() {
            1
        } else {
            most
        };
        let apart =
            |wish: usize| (1..=most).find_map(|count| self.spread(count, wish, &wishes, false));
        (0..wishes.len()).find_map(apart)
    }

    /// Shared CPUs: on one node where huge pages or devices bind it to one and it is to be had, else on none.
    fn sharing(&self) -> Option<Fit> {
        let wishes = self.wishes(&self.ask.memory.page_sizes);
        let near = |d: &crate::ask::Devices| d.strict && d.count > 0 && d.near != Near::Host;
        let near = self.ask.devices.iter().any(near);
        let bound = near || wishes.iter().any(|size| *size > 0);
        for (wish, size) in wishes.iter().enumerate() {
            let one = Need {
                wishes: wishes.clone(),
                ..self.whole()
            };
            let on_one = bound.then(|| self.cells_with(&[one], Some(wish))).flatten();
            let loose = || {
                (!near && *size == 0)
                    .then(|| self.unbound(wish, 0))
                    .flatten()
            };
            if let Some(fit) = on_one.or_else(loose) {
                return Some(fit);
            }
        }
        let mut huge = wishes
            .iter()
            .enumerate()
            .filter(|(_, size)| **size > 0 && !near);
        huge.find_map(|(wish, size)| self.unbound(wish, *size))
    }

    /// Whether something but its CPUs binds it to a node.
    pub(super) fn wants_node(&self, wishes: &[u64]) -> bool {
        let near = |d: &crate::ask::Devices| d.strict && d.count > 0 && d.near != Near::Host;
        self.ask.devices.iter().any(near) || wishes.iter().any(|size| *size > 0)
    }

    pub(crate) fn shared(&self) -> bool {
        self.ask.cpus.policy == Policy::Shared
    }

    pub(crate) fn threads(&self) -> Threads {
        match self.ask.cpus.policy {
            Policy::Dedicated(threads) => threads,
            Policy::Shared => Threads::Any,
        }
    }

    /// Sizes it may have, ordinary ones where none is asked for.
    pub(crate) fn wishes(&self, sizes: &[u64]) -> Vec<u64> {
        match (sizes, self.ask.memory.page_sizes.as_slice()) {
            ([], []) => vec![0],
            ([], own) => own.to_vec(),
            (sizes, _) => sizes.to_vec(),
        }
    }

    /// All of it as one cell.
    pub(crate) fn whole(&self) -> Need {
        Need {
            cpus: self.ask.cpus.count,
            helpers: self.ask.helpers,
            bytes: self.ask.memory.bytes,
            wishes: self.wishes(&[]),
        }
    }

    /// Of its cells: all of it is one where nobody asked for some.
    pub(crate) fn needs(&self) -> Vec<Need> {
        match &self.ask.numa {
            Numa::Auto => vec![self.whole()],
            Numa::Nodes(count) => self.even(*count),
            Numa::Cells(cells) => {
                let cells = cells.iter().enumerate();
                cells.map(|(i, cell)| self.need(i, cell)).collect()
            }
        }
    }

    pub(crate) fn need(&self, position: usize, cell: &crate::ask::Cell) -> Need {
        Need {
            cpus: cell.cpus,
            helpers: if position == 0 { self.ask.helpers } else { 0 },
            bytes: cell.bytes,
            wishes: self.wishes(&cell.page_sizes),
        }
    }

    /// As even as whole CPUs and whole pages allow, the first ones larger.
    pub(crate) fn even(&self, count: u32) -> Vec<Need> {
        let wishes = self.wishes(&[]);
        let unit = wishes
            .iter()
            .copied()
            .max()
            .filter(|size| *size > 0)
            .unwrap_or(1 << 20);
        let bytes = self.ask.memory.bytes;
        let (units, rest) = (bytes / unit, bytes % unit);
        let part = |all: u64, position: u32| {
            all / u64::from(count) + u64::from(u64::from(position) < all % u64::from(count))
        };
        let need = |position: u32| Need {
            cpus: u32::try_from(part(u64::from(self.ask.cpus.count), position)).unwrap_or(u32::MAX),
            helpers: if position == 0 { self.ask.helpers } else { 0 },
            bytes: part(units, position) * unit + if position == 0 { rest } else { 0 },
            wishes: wishes.clone(),
        };
        (0..count).map(need).collect()
    }

    /// Nodes its cells may lie on: those that were named, else those with CPUs and memory.
    pub(crate) fn eligible(&self) -> Vec<usize> {
        match &self.ask.memory.nodes {
            Some(named) => named
                .iter()
                .filter_map(|id| self.topology.node(id))
                .collect(),
            None => self.topology.whole_nodes().collect(),
        }
    }

    /// Whether its cells may lie on a node.
    pub(crate) fn may_be_on(&self, node: usize) -> bool {
        let Node { id, kind, .. } = &self.topology.nodes[node];
        match &self.ask.memory.nodes {
            Some(named) => named.contains(*id),
            None => *kind == NodeKind::Whole,
        }
    }

    /// More nodes than it has CPUs are never needed.
    pub(super) fn seats_at_most(&self) -> usize {
        self.topology
            .nodes
            .len()
            .min(self.ask.cpus.count as usize)
            .max(1)
    }

    pub(crate) fn table(&self, node: usize) -> &Table<'a> {
        self.tables[node].get_or_init(|| {
            let most = match &self.ask.numa {
                Numa::Cells(cells) => cells.iter().map(|c| c.cpus).max().unwrap_or(0),
                Numa::Nodes(count) if *count > 0 => self.ask.cpus.count.div_ceil(*count),
                Numa::Nodes(_) | Numa::Auto => self.ask.cpus.count,
            };
            let (_, open) = self.room.count(self.topology, node);
            let rules = Rules {
                threads: self.threads(),
                l3: self.ask.cpus.l3,
                cpus: if self.shared() { 0 } else { most.min(open) },
                helpers: self.ask.helpers.min(open),
            };
            Table::new(self.topology, self.room, node, rules)
        })
    }

    /// The cheapest way to so many CPUs and helpers on a node.
    pub(crate) fn waste(&self, node: usize, cpus: u32, helpers: u32) -> Waste {
        let (free, open) = self.room.count(self.topology, node);
        if self.shared() {
            let enough = free > helpers && open >= helpers;
            return if enough {
                self.table(node).waste(0, helpers)
            } else {
                Waste::NEVER
            };
        }
        // At least so many are taken; somebody who shares on this node keeps one.
        let kept = u32::from(self.room.nodes[node].sharers);
        if cpus + helpers > open || cpus + helpers + kept > free {
            return Waste::NEVER;
        }
        if kept > 0 && self.idle(node, cpus) + cpus + helpers + kept > free {
            return Waste::NEVER;
        }
        let waste = self.table(node).waste(cpus, helpers);
        if waste.can_be_had() {
            waste + *self.devices[node].get_or_init(|| self.device_nodes(&[node]))
        } else {
            waste
        }
    }

    /// How many threads stay idle beside so many isolated ones, at least.
    fn idle(&self, node: usize, cpus: u32) -> u32 {
        if self.threads() != Threads::Isolate {
            return 0;
        }
        let whole =
            |core: &usize| self.room.cores[*core].open() == self.topology.cores[*core].all();
        let cores = self.topology.cores_of(node).filter(whole);
        let mut idle: Vec<u32> = cores
            .map(|core| self.topology.cores[core].all().count_ones() - 1)
            .collect();
        idle.sort_unstable();
        idle.iter().take(cpus as usize).sum()
    }

    pub(crate) fn pick(&self, node: usize, cpus: u32, helpers: u32) -> Pick {
        self.table(node)
            .pick(if self.shared() { 0 } else { cpus }, helpers)
    }

    /// Every choice of CPUs on a node, at most so many.
    pub(crate) fn picks(&self, node: usize, cpus: u32, helpers: u32, most: usize) -> Vec<Pick> {
        self.table(node)
            .picks(if self.shared() { 0 } else { cpus }, helpers, most)
    }

    pub(crate) fn left_over(&self, node: usize, taken: u32) -> u32 {
        if self.shared() {
            return 0;
        }
        self.room.count(self.topology, node).0.saturating_sub(taken)
    }

    /// Whether a node can hold a cell.
    pub(crate) fn seat(&self, need: &Need, node: usize) -> bool {
        !self.seats(need, node, None).is_empty()
    }

    /// How a node can hold a cell, and what it costs there. `wish`: only with this one of its wishes.
    pub(crate) fn seats(&self, need: &Need, node: usize, wish: Option<usize>) -> Vec<Seat> {
        let waste = self.waste(node, need.cpus, need.helpers);
        let mut seats = Vec::new();
        if !waste.can_be_had() {
            return seats;
        }
        let have = |(size, count): (usize, u64)| self.room.nodes[node].pages[size] - count;
        let wishes = need.wishes.iter().enumerate();
        for (rank, size) in wishes.filter(|(rank, _)| wish.is_none_or(|w| w == *rank)) {
            let Some(pages) = self.backing(need.bytes, *size, node) else {
                continue;
            };
            seats.push(Seat {
                node,
                wish: u32::try_from(rank).unwrap_or(u32::MAX),
                pages,
                waste,
                left_over: self.left_over(node, need.cpus + need.helpers),
                pages_left: pages.map_or(0, have),
            });
            // Nobody else's cell takes these pages; ordinary memory may be too little for all cells together.
            if pages.is_some() {
                break;
            }
        }
        seats
    }

    /// Whether a node has so much memory in pages of a size: the pages, none where they are ordinary.
    pub(crate) fn backing(
        &self,
        bytes: u64,
        size: u64,
        node: usize,
    ) -> Option<Option<(usize, u64)>> {
        let room = &self.room.nodes[node];
        if size == 0 {
            return room
                .for_one()
                .is_none_or(|have| bytes <= have)
                .then_some(None);
        }
        let position = self.topology.page_size(size)?;
        let count = bytes.div_ceil(size);
        (room.pages[position] >= count).then_some(Some((position, count)))
    }

    /// Memory demands of cells on nodes, with what running it takes beside on these nodes together. Where nobody asked for
    /// cells all of it is bound to them together: how it comes to lie within is not decided here.
    pub(crate) fn demands(&self, cells: &[(usize, u64)]) -> Vec<Demand> {
        let nodes = positions(cells.iter().map(|(node, _)| *node));
        let mut beside = Demand {
            nodes,
            bytes: self.ask.memory.overhead_bytes,
        };
        if self.ask.numa == Numa::Auto {
            beside.bytes = cells
                .iter()
                .map(|(_, bytes)| *bytes)
                .fold(beside.bytes, u64::saturating_add);
            return vec![beside];
        }
        let own = cells.iter().map(|(node, bytes)| Demand::on(*node, *bytes));
        own.chain([beside]).filter(|d| d.bytes > 0).collect()
    }

    pub(crate) fn devices(&self, nodes: &[usize]) -> Option<Given> {
        devices::give(self.topology, self.room, &self.ask.devices, nodes)
    }

    /// Free devices on nodes of who wants none.
    pub(crate) fn device_nodes(&self, nodes: &[usize]) -> Waste {
        if self.ask.devices.iter().any(|d| d.count > 0) || self.shared() {
            return Waste::NONE;
        }
        let free = self
            .room
            .devices
            .iter()
            .map(|d| &self.topology.devices[d as usize]);
        let near =
            free.filter(|d| !d.kinds.is_empty() && d.node.is_some_and(|n| nodes.contains(&n)));
        Waste::devices(u32::try_from(near.count()).unwrap_or(u32::MAX))
    }

    /// Somewhere on the host: CPUs are shared, memory is bound to the nodes that were named or to none, huge pages to
    /// one.
    pub(super) fn unbound(&self, wish: usize, size: u64) -> Option<Fit> {
        let eligible = self.eligible();
        let (memory, pages, nodes) = self.elsewhere(&eligible, size)?;
        let near = self.ask.memory.nodes.as_ref().map(|_| eligible);
        let near = near.unwrap_or_default();
        let devices = self.devices(&near)?;
        let cell = |node: Option<usize>, first: bool| Placed {
            node,
            count: if first { self.ask.cpus.count } else { 0 },
            bytes: if first { self.ask.memory.bytes } else { 0 },
            page_size: (first && size > 0).then_some(size),
            ..Placed::default()
        };
        let mut cells = vec![cell(nodes.first().copied(), true)];
        cells.extend(nodes.iter().skip(1).map(|n| cell(Some(*n), false)));
        let shared = Shared {
            count: self.ask.cpus.count,
            ..Shared::default()
        };
        let place = Place {
            cells,
            memory,
            pages,
            shared: Some(shared),
            devices,
            ..Place::default()
        };
        let left =
            |(node, size, count): &(usize, usize, u64)| self.room.nodes[*node].pages[*size] - count;
        let cost = Cost {
            remote_memory: u32::from(size > 0),
            page_wish: u32::try_from(wish).unwrap_or(u32::MAX),
            remote_devices: place.devices.remote + self.served_afar(&near),
            pages_left: place.pages.iter().map(left).sum(),
            ..Cost::NONE
        };
        self.leaves_enough(&place).then_some(Fit {
            cost,
            proven: true,
            place,
        })
    }
}
