//! How many more of a shape a host takes, one after the other until none fits, and what is left that it cannot use.

use std::collections::BTreeMap;

use infra_api::{IdSet, Threads};

use crate::ask::{Ask, Policy};
use crate::fit::{Fit, Search, fit};
use crate::refusal::Constraint;
use crate::room::Room;
use crate::topology::Topology;

/// What a host takes of one shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// How many; none: they take nothing that could come to an end.
    pub count: Option<u64>,
    /// Ids of the nodes they lie on, and how many on these; no ids where they are bound to none.
    pub on_nodes: Vec<(IdSet, u64)>,
    /// Why there is no further one, form by form.
    pub short: Vec<(usize, Constraint)>,
    /// What is left then.
    pub left: Vec<Left>,
}

/// What is left of a node that holds no further one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    pub node: u32,
    /// CPUs somebody could have to himself.
    pub cpus: u32,
    /// Of these, threads it cannot have, because somebody else has others of their cores.
    pub blocked: u32,
    /// Ordinary memory, no more than the host has in all; unknown where the node does not tell.
    pub bytes: Option<u64>,
    /// Size and how many.
    pub pages: Vec<(u64, u64)>,
    /// What is wanting here for one more; of several cells, for the one that comes nearest.
    pub lacks: Vec<Lack>,
    /// Addresses of devices.
    pub devices: Vec<String>,
}

/// What a node has too little of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lack {
    Cpus,
    Memory,
    Pages,
}

/// How many more of these a host takes: of the first as many as fit, then of the next.
#[must_use]
pub fn capacity(topology: &Topology, room: &Room, asks: &[&Ask]) -> Capacity {
    let mut filling = Filling {
        topology,
        room: room.clone(),
        count: Some(0),
        on_nodes: Vec::new(),
    };
    let short = (0usize..)
        .zip(asks)
        .filter_map(|(form, ask)| Some((form, filling.fill(ask)?)))
        .collect();
    let Filling {
        room,
        count,
        on_nodes,
        ..
    } = filling;
    let left = asks.first().map(|ask| left(topology, &room, ask));
    Capacity {
        count,
        on_nodes,
        short,
        left: left.unwrap_or_default(),
    }
}

/// What still fits after so many, or so many bytes, fits because nobody knows what there is.
const MOST: u64 = 1 << 40;
const MOST_BYTES: u64 = 1 << 52;

struct Filling<'a> {
    topology: &'a Topology,
    room: Room,
    count: Option<u64>,
    on_nodes: Vec<(IdSet, u64)>,
}

impl Filling<'_> {
    /// Until one is refused; nothing where none ever is.
    fn fill(&mut self, ask: &Ask) -> Option<Constraint> {
        loop {
            let found = match fit(self.topology, &self.room, ask) {
                Ok(found) => found,
                Err(constraint) => return Some(constraint),
            };
            let Some(times) = self.times(ask, &found) else {
                self.count = None;
                self.on_nodes.push((found.nodes(self.topology), 0));
                return None;
            };
            self.room = self.room.with(self.topology, &found, times);
            self.count = self.count.map(|count| count.saturating_add(times));
            let nodes = found.nodes(self.topology);
            match self.on_nodes.iter_mut().find(|(on, _)| *on == nodes) {
                Some((_, count)) => *count = count.saturating_add(times),
                None => self.on_nodes.push((nodes, times)),
            }
        }
    }

    /// How often in a row it gets this very place, none: always. What it takes of CPUs, pages and devices nobody gets
    /// twice; of those who take none the same holds for ever more of them until something is wanting, so it need not
    /// be asked each time.
    fn times(&self, ask: &Ask, found: &Fit) -> Option<u64> {
        let place = &found.place;
        let again = place.shared.is_some()
            && place.taken.is_empty()
            && place.pages.is_empty()
            && place.devices.taken.is_empty();
        if !again {
            return Some(1);
        }
        let once = self.room.with(self.topology, found, 1);
        if once.memory() == self.room.memory() && once.cpu_ratio.is_none() {
            return None;
        }
        let same = |times: u64| {
            let room = self.room.with(self.topology, found, times);
            fit(self.topology, &room, ask).is_ok_and(|next| next.place == *place)
        };
        let bytes = place.memory.iter().map(|d| d.bytes).max().unwrap_or(0);
        let mut end = 1u64;
        while same(end) {
            if end > MOST || bytes.saturating_mul(end) > MOST_BYTES {
                return None;
            }
            end *= 2;
        }
        let mut start = end / 2;
        // The same place at `start`, no longer at `end`.
        while end - start > 1 {
            let middle = start + (end - start) / 2;
            if same(middle) {
                start = middle;
            } else {
                end = middle;
            }
        }
        Some(end)
    }
}

impl Fit {
    /// Ids of the nodes of its CPUs, else of its memory.
    #[must_use]
    pub fn nodes(&self, topology: &Topology) -> IdSet {
        let id = |node: usize| topology.nodes[node].id;
        let cells = &self.place.cells;
        let cores = cells
            .iter()
            .flat_map(|c| &c.cpus)
            .filter_map(|cpu| topology.cpu(cpu));
        let own: IdSet = cores
            .map(|(core, _)| id(topology.cores[core].node))
            .collect();
        if own.is_empty() {
            cells.iter().filter_map(|c| c.node).map(id).collect()
        } else {
            own
        }
    }
}

impl Room {
    /// What is left once a place was taken so many times.
    fn with(&self, topology: &Topology, found: &Fit, times: u64) -> Self {
        let mut room = self.clone();
        let mut place = found.place.clone();
        for demand in &mut place.memory {
            demand.bytes = demand.bytes.saturating_mul(times);
        }
        let count = place.shared.as_ref().map_or(0, |s| s.count);
        room.take_place(topology, &place);
        let named = place.shared.as_ref().is_some_and(|s| !s.named.is_empty());
        if times > 1 && !named {
            let more = u64::from(count).saturating_mul(times - 1);
            room.shared_cpus = room.shared_cpus.saturating_add(more);
        }
        room
    }

    /// All it has of ordinary memory, and of whose it is.
    fn memory(&self) -> (Option<u64>, Vec<Option<u64>>, &BTreeMap<IdSet, u64>) {
        let nodes = self.nodes.iter().map(|node| node.bytes).collect();
        (self.bytes, nodes, &self.together)
    }
}

/// What is left of every node with CPUs or memory, and what is wanting there.
fn left(topology: &Topology, room: &Room, ask: &Ask) -> Vec<Left> {
    let search = Search::new(topology, room, ask);
    let all = room.bytes.unwrap_or(u64::MAX);
    let node = |node: usize| {
        let (_, open) = room.count(topology, node);
        let sizes = topology.page_sizes.iter().zip(&room.nodes[node].pages);
        let here = |device: &u32| topology.devices[*device as usize].node == Some(node);
        let devices = room.devices.iter().filter(here);
        Left {
            node: topology.nodes[node].id,
            cpus: open,
            blocked: blocked(topology, room, ask, node),
            bytes: room.nodes[node].bytes.map(|bytes| bytes.min(all)),
            pages: sizes
                .filter(|(_, count)| **count > 0)
                .map(|(size, count)| (*size, *count))
                .collect(),
            lacks: search.lacking(node),
            devices: devices
                .map(|d| topology.devices[d as usize].address.clone())
                .collect(),
        }
    };
    let holds = |node: &usize| {
        topology.nodes[*node].kind != crate::topology::NodeKind::Barred
            || topology.cores_of(*node).next().is_some()
    };
    (0..topology.nodes.len()).filter(holds).map(node).collect()
}

/// Threads of cores that others have a part of, where only whole cores will do.
fn blocked(topology: &Topology, room: &Room, ask: &Ask, node: usize) -> u32 {
    let whole = matches!(
        ask.cpus.policy,
        Policy::Dedicated(Threads::Require | Threads::Isolate)
    );
    let broken = |core: &usize| room.cores[*core].open() != topology.cores[*core].all();
    let cores = topology.cores_of(node).filter(|core| whole && broken(core));
    cores.map(|core| room.cores[core].open().count_ones()).sum()
}
