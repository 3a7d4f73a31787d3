//! A machine, what is on it already, and what is asked, as the oracle sees them: CPUs, nodes and devices are bits of
//! words.

use infra_api::IdSet;
use infra_place::{
    Ask, Core, Device, Fit, Node, NodeKind, Policy, Room, Stock, Topology, View, fit,
};

/// Everything a case is made of; printed where it fails.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub nodes: Vec<Node>,
    pub cores: Vec<Core>,
    pub devices: Vec<Device>,
    /// Devices that threads may serve, and the nodes of those of which that is known.
    pub served: Vec<(String, usize)>,
    pub page_sizes: Vec<u64>,
    pub stock: Stock,
    /// Placed before, one after the other, where they fit.
    pub earlier: Vec<Ask>,
    pub ask: Ask,
}

/// What is free, kept by the oracle itself. Masks of CPUs are by id, masks of nodes and devices by position.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub free: u64,
    /// Shared by name.
    pub named: u64,
    pub bytes: Option<u64>,
    pub node_bytes: Vec<Option<u64>>,
    /// Where more is promised than there is, what there is.
    pub most: Option<u64>,
    pub node_most: Vec<Option<u64>>,
    /// Ordinary memory given out: on which nodes, and how much.
    pub demands: Vec<(u64, u64)>,
    /// By node and size.
    pub pages: Vec<Vec<u64>>,
    pub devices: u64,
    pub shared_cpus: u64,
    pub sharers: bool,
    pub node_sharers: u64,
    pub ratio: Option<u64>,
}

pub(crate) fn mask(ids: &IdSet) -> u64 {
    ids.iter().fold(0, |all, id| all | 1u64 << id)
}

pub(crate) fn bits(mask: u64) -> impl Iterator<Item = usize> {
    (0..64).filter(move |bit| mask >> bit & 1 == 1)
}

impl World {
    pub(crate) fn topology(&self) -> Topology {
        Topology::new(
            self.nodes.clone(),
            self.cores.clone(),
            self.devices.clone(),
            self.page_sizes.clone(),
        )
        .serving(self.served.iter().cloned().collect())
    }

    pub(crate) fn core_mask(&self, core: usize) -> u64 {
        self.cores[core]
            .threads
            .iter()
            .fold(0, |all, c| all | 1u64 << c)
    }

    fn cores_where(&self, is: impl Fn(&Core) -> bool) -> u64 {
        let cores = (0..self.cores.len()).filter(|c| is(&self.cores[*c]));
        cores.fold(0, |all, core| all | self.core_mask(core))
    }

    /// The CPUs of a node.
    pub(crate) fn node_cpus(&self, node: usize) -> u64 {
        self.cores_where(|core| core.node == node)
    }

    /// The CPUs of a domain of L3.
    pub(crate) fn l3_cpus(&self, l3: usize) -> u64 {
        self.cores_where(|core| core.l3 == Some(l3))
    }

    /// The cores that have some of these CPUs.
    pub(crate) fn cores_of(&self, cpus: u64) -> impl Iterator<Item = usize> {
        (0..self.cores.len()).filter(move |c| self.core_mask(*c) & cpus != 0)
    }

    pub(crate) fn node_at(&self, id: u32) -> Option<usize> {
        self.nodes.iter().position(|node| node.id == id)
    }

    pub(crate) fn device_at(&self, address: &str) -> Option<usize> {
        self.devices.iter().position(|d| d.address == address)
    }

    /// Positions of the named nodes, all where none are named.
    pub(crate) fn named_nodes(&self, ask: &Ask) -> u64 {
        let named = |node: &Node| match &ask.memory.nodes {
            Some(nodes) => nodes.contains(node.id) && node.kind != NodeKind::Barred,
            None => node.kind == NodeKind::Whole,
        };
        let nodes = (0..self.nodes.len()).filter(|n| named(&self.nodes[*n]));
        nodes.fold(0, |all, node| all | 1u64 << node)
    }

    pub(crate) fn distance(&self, nodes: u64) -> u64 {
        let of = |a: usize, b: usize| self.nodes[a].distances.get(b).map_or(0, |d| u64::from(*d));
        bits(nodes)
            .flat_map(|a| bits(nodes).map(move |b| (a, b)))
            .filter(|(a, b)| a != b)
            .map(|(a, b)| of(a, b))
            .sum()
    }

    /// The devices that go together with one.
    pub(crate) fn group(&self, device: usize) -> u64 {
        let group = self.devices[device].group;
        let others =
            (0..self.devices.len()).filter(|d| group.is_some() && self.devices[*d].group == group);
        others.fold(1u64 << device, |all, d| all | 1u64 << d)
    }

    /// Runs what came before, in the room of the crate and in the oracle's own.
    pub(crate) fn rooms(
        &self,
        topology: &Topology,
        mut each: impl FnMut(&State, &Ask, &Fit),
    ) -> (Room, State) {
        let mut room = Room::new(topology, &self.stock);
        let mut state = State::new(self);
        for ask in &self.earlier {
            if let Ok(found) = fit(topology, &room, ask) {
                let view = found.view(topology);
                each(&state, ask, &found);
                room.take(topology, &found);
                state.take(self, &view);
            }
        }
        (room, state)
    }
}

impl State {
    pub(crate) fn new(world: &World) -> Self {
        let all = (0..world.cores.len()).fold(0, |all, core| all | world.core_mask(core));
        let bytes = |node: &Node| match node.kind {
            NodeKind::Barred => Some(0),
            _ => world.stock.node_bytes.get(&node.id).copied(),
        };
        let pages = |node: &Node| {
            let of = |size: &u64| world.stock.pages.get(&(node.id, *size)).copied();
            world
                .page_sizes
                .iter()
                .map(|s| of(s).unwrap_or(0))
                .collect()
        };
        let percent = world.stock.memory_percent.map(u64::from);
        let promised = |bytes: Option<u64>| bytes.map(|bytes| bytes * percent.unwrap_or(100) / 100);
        let most = |bytes: Option<u64>| percent.and(bytes);
        let has = |d: &Device| world.stock.devices.contains(&d.address);
        Self {
            free: all & mask(&world.stock.cpus),
            named: 0,
            bytes: promised(world.stock.bytes),
            node_bytes: world.nodes.iter().map(|n| promised(bytes(n))).collect(),
            most: most(world.stock.bytes),
            node_most: world.nodes.iter().map(|n| most(bytes(n))).collect(),
            demands: Vec::new(),
            pages: world.nodes.iter().map(pages).collect(),
            devices: (0..world.devices.len())
                .filter(|d| has(&world.devices[*d]))
                .fold(0, |all, d| all | 1u64 << d),
            shared_cpus: 0,
            sharers: false,
            node_sharers: 0,
            ratio: world.stock.cpu_ratio.map(u64::from),
        }
    }

    /// CPUs somebody may have to himself.
    pub(crate) fn open(&self) -> u64 {
        self.free & !self.named
    }

    pub(crate) fn take(&mut self, world: &World, view: &View) {
        self.free &= !mask(&view.taken);
        for (nodes, bytes) in &view.memory {
            let at = nodes.iter().filter_map(|id| world.node_at(id));
            let nodes = at.fold(0, |all, node| all | 1u64 << node);
            self.demands.push((nodes, *bytes));
        }
        for (node, size, count) in &view.pages {
            let size = world.page_sizes.iter().position(|s| s == size);
            if let (Some(node), Some(size)) = (world.node_at(*node), size) {
                self.pages[node][size] -= count;
            }
        }
        let taken = view.devices_taken.iter().filter_map(|d| world.device_at(d));
        self.devices &= !taken.fold(0, |all, d| all | 1u64 << d);
        let Some(shared) = &view.shared else {
            return;
        };
        self.sharers = true;
        self.named |= mask(&shared.named);
        if shared.named.is_empty() {
            self.shared_cpus += u64::from(shared.count);
        }
        if shared.on_nodes {
            let nodes = view.cells.iter().filter_map(|c| world.node_at(c.node?));
            self.node_sharers |= nodes.fold(0, |all, node| all | 1u64 << node);
        }
    }

    /// Whether these demands can be met beside what is given already: for every set of nodes, what is bound within it
    /// is not more than it has.
    pub(crate) fn memory_fits(&self, more: &[(u64, u64)]) -> bool {
        let all: Vec<(u64, u64)> = self.demands.iter().chain(more).copied().collect();
        met(self.bytes, &self.node_bytes, &all) && met(self.most, &self.node_most, more)
    }

    /// Whether those who share still run once a place has taken these CPUs: one CPU at least for all, one on each node
    /// that somebody shares (`bound`: the asker himself, too), and no more of them than the ratio says.
    pub(crate) fn run(&self, world: &World, ask: &Ask, bound: u64, taken: u64) -> bool {
        let left = self.free & !taken;
        let shares = ask.cpus.policy == Policy::Shared;
        let more = if shares && ask.cpus.set.is_none() {
            ask.cpus.count
        } else {
            0
        };
        let shared = self.shared_cpus + u64::from(more);
        let most = |ratio: u64| ratio * u64::from(left.count_ones());
        !(self.sharers || shares)
            || left != 0
                && bits(self.node_sharers | bound).all(|n| left & world.node_cpus(n) != 0)
                && self.ratio.is_none_or(|ratio| shared * 1000 <= most(ratio))
    }
}

fn met(host: Option<u64>, nodes: &[Option<u64>], demands: &[(u64, u64)]) -> bool {
    let total: u64 = demands.iter().map(|(_, bytes)| bytes).sum();
    host.is_none_or(|have| total <= have)
        && (1u64..1 << nodes.len()).all(|set| {
            let has: Option<u64> = bits(set).map(|node| nodes[node]).sum();
            let within = demands.iter().filter(|(n, _)| *n != 0 && n & !set == 0);
            has.is_none_or(|has| within.map(|(_, bytes)| bytes).sum::<u64>() <= has)
        })
}
