//! Fitting one workload into one host: which nodes its cells go to, with the CPUs, memory, pages and devices of each,
//! all in one search. It is exact: it finds the cheapest place, and refuses only where there is none. Where a host has
//! so many nodes that looking at everything would take too long it ends after a fixed number of steps and says so.

mod all;
mod backing;
mod branch;
mod left;
mod named;
mod search;
mod served;
mod spread;
mod why;

use infra_api::IdSet;

use crate::ask::Ask;
use crate::cost::Cost;
use crate::devices::Given;
use crate::memory::Demand;
use crate::refusal::Constraint;
use crate::room::Room;
use crate::topology::Topology;

pub(crate) use search::{Need, Search};

/// A place on a host, and what it costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fit {
    pub cost: Cost,
    /// Everything was looked at: no place is cheaper.
    pub proven: bool,
    pub(crate) place: Place,
}

/// What is given. Nodes are positions, CPUs ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) cells: Vec<Placed>,
    pub(crate) memory: Vec<Demand>,
    /// Node, position of the size, pages.
    pub(crate) pages: Vec<(usize, usize, u64)>,
    pub(crate) devices: Given,
    /// CPUs nobody else may have any more.
    pub(crate) taken: IdSet,
    pub(crate) helpers: IdSet,
    pub(crate) shared: Option<Shared>,
}

/// CPUs that are shared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shared {
    pub(crate) count: u32,
    /// Those that were named; they are not counted against what is free.
    pub(crate) named: IdSet,
    /// They are those of its cells' nodes.
    pub(crate) on_nodes: bool,
}

/// A cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Placed {
    /// Its memory is bound to; none where it is bound to none.
    pub(crate) node: Option<usize>,
    pub(crate) count: u32,
    /// Its own; empty where it shares.
    pub(crate) cpus: IdSet,
    pub(crate) bytes: u64,
    pub(crate) page_size: Option<u64>,
}

/// What is given, in the words of the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    pub cells: Vec<CellView>,
    pub helpers: IdSet,
    /// CPUs nobody else may have any more.
    pub taken: IdSet,
    /// Ordinary bytes and the nodes they are bound to, none where they are bound to none.
    pub memory: Vec<(IdSet, u64)>,
    /// Node, size and how many.
    pub pages: Vec<(u32, u64, u64)>,
    /// Addresses, in the order in which they were asked for.
    pub devices: Vec<String>,
    /// These, and what shares an IOMMU group with them.
    pub devices_taken: Vec<String>,
    pub shared: Option<SharedView>,
}

/// CPUs that are shared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SharedView {
    pub count: u32,
    /// Those that were named.
    pub named: IdSet,
    /// They are those of the cells' nodes.
    pub on_nodes: bool,
}

/// A cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CellView {
    pub node: Option<u32>,
    pub count: u32,
    /// Its own; empty where it shares.
    pub cpus: IdSet,
    pub bytes: u64,
    pub page_size: Option<u64>,
}

impl Fit {
    /// What is given, in the words of the kernel.
    #[must_use]
    pub fn view(&self, topology: &Topology) -> View {
        let place = &self.place;
        let node = |node: usize| topology.nodes[node].id;
        let address = |device: usize| topology.devices[device].address.clone();
        View {
            cells: (place.cells.iter())
                .map(|cell| CellView {
                    node: cell.node.map(node),
                    count: cell.count,
                    cpus: cell.cpus.clone(),
                    bytes: cell.bytes,
                    page_size: cell.page_size,
                })
                .collect(),
            helpers: place.helpers.clone(),
            taken: place.taken.clone(),
            memory: (place.memory.iter())
                .map(|d| (d.nodes.iter().map(|n| node(n as usize)).collect(), d.bytes))
                .collect(),
            pages: (place.pages.iter())
                .map(|(n, size, count)| (node(*n), topology.page_sizes[*size], *count))
                .collect(),
            devices: place.devices.devices.iter().map(|d| address(*d)).collect(),
            devices_taken: (place.devices.taken.iter())
                .map(|d| address(d as usize))
                .collect(),
            shared: place.shared.as_ref().map(|shared| SharedView {
                count: shared.count,
                named: shared.named.clone(),
                on_nodes: shared.on_nodes,
            }),
        }
    }
}

/// Finds the best place for a workload, or the first thing that is wanting.
pub fn fit(topology: &Topology, room: &Room, ask: &Ask) -> Result<Fit, Constraint> {
    Search::new(topology, room, ask).best()
}

impl Room {
    /// Takes a place out of what is free.
    pub fn take(&mut self, topology: &Topology, fit: &Fit) {
        self.take_place(topology, &fit.place);
    }

    pub(crate) fn take_place(&mut self, topology: &Topology, place: &Place) {
        self.take_cpus(topology, &place.taken);
        for demand in &place.memory {
            self.take_memory(demand);
        }
        for (node, size, count) in &place.pages {
            let pages = &mut self.nodes[*node].pages[*size];
            *pages = pages.saturating_sub(*count);
        }
        self.devices = &self.devices - &place.devices.taken;
        if let Some(shared) = &place.shared {
            self.sharers = true;
            self.share_cpus(topology, &shared.named);
            if shared.named.is_empty() {
                self.shared_cpus += u64::from(shared.count);
            }
            if shared.on_nodes {
                for node in place.cells.iter().filter_map(|c| c.node) {
                    self.nodes[node].sharers = true;
                }
            }
        }
    }

    fn take_memory(&mut self, demand: &Demand) {
        let less = |have: Option<u64>| have.map(|have| have.saturating_sub(demand.bytes));
        self.bytes = less(self.bytes);
        match (demand.nodes.len(), demand.nodes.first()) {
            (0, _) => {}
            (1, Some(node)) => {
                let node = &mut self.nodes[node as usize];
                node.bytes = less(node.bytes);
            }
            _ if demand.bytes == 0 => {}
            _ => {
                let given = self.together.entry(demand.nodes.clone()).or_default();
                *given = given.saturating_add(demand.bytes);
            }
        }
    }
}
