//! Where a workload stands, in the kernel's ids: what a place comes to, and whether it may stay there.

use std::collections::BTreeSet;

use infra_api::{IdSet, L3};

use crate::ask::{Ask, Numa, Policy};
use crate::cost::Cost;
use crate::devices;
use crate::fit::{Fit, Place, Placed, Search, Shared};
use crate::memory::{self, Demand, positions};
use crate::room::Room;
use crate::topology::Topology;

/// A place in ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The first carries the memory of all where it is not parted.
    pub cells: Vec<Stand>,
    /// CPUs of helper threads.
    pub helpers: IdSet,
    /// PCI addresses, in the order in which they were asked for.
    pub devices: Vec<String>,
    /// CPUs are shared, these where they are named.
    pub shared: bool,
}

/// One cell of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stand {
    pub node: Option<u32>,
    /// So many CPUs are its part.
    pub count: u32,
    /// Its own, or named ones that are shared.
    pub cpus: IdSet,
    pub bytes: u64,
    pub page_size: Option<u64>,
}

impl Fit {
    /// The place in ids.
    #[must_use]
    pub fn standing(&self, topology: &Topology) -> Standing {
        let named = self
            .place
            .shared
            .as_ref()
            .map(|s| s.named.clone())
            .unwrap_or_default();
        let cell = |cell: &Placed| Stand {
            node: cell.node.map(|n| topology.nodes[n].id),
            count: cell.count,
            cpus: &cell.cpus | &named,
            bytes: cell.bytes,
            page_size: cell.page_size,
        };
        Standing {
            cells: self.place.cells.iter().map(cell).collect(),
            helpers: self.place.helpers.clone(),
            devices: self
                .place
                .devices
                .devices
                .iter()
                .map(|d| topology.devices[*d].address.clone())
                .collect(),
            shared: self.place.shared.is_some(),
        }
    }
}

/// The place it has, where all that is asked is met there still; nothing where it has to go.
#[must_use]
pub fn keep(topology: &Topology, room: &Room, ask: &Ask, standing: &Standing) -> Option<Fit> {
    let keeper = Keeper {
        search: Search::new(topology, room, ask),
        topology,
        room,
        ask,
    };
    keeper.keep(standing)
}

/// Takes out what a workload has that is left as it is, whether it would get it again or not.
pub fn hold(topology: &Topology, room: &mut Room, ask: &Ask, standing: &Standing) {
    if let Some(fit) = keep(topology, room, ask, standing) {
        room.take(topology, &fit);
        return;
    }
    let keeper = Keeper {
        search: Search::new(topology, room, ask),
        topology,
        room,
        ask,
    };
    let place = keeper.as_it_is(standing);
    room.take_place(topology, &place);
}

struct Keeper<'a> {
    search: Search<'a>,
    topology: &'a Topology,
    room: &'a Room,
    ask: &'a Ask,
}

impl Keeper<'_> {
    fn keep(&self, standing: &Standing) -> Option<Fit> {
        if self.search.hopeless().is_some() {
            return None;
        }
        let place = self.as_it_is(standing);
        let kept = self.cpus(standing, &place)
            && self.helpers(standing, &place)
            && self.cells(standing)
            && self.backed(&place)
            && memory::check(self.room, &place.memory).is_ok()
            && self.search.leaves_enough(&place);
        let remote_devices = self.devices(standing, &place)?;
        let cost = Cost {
            remote_devices,
            ..self.cost(&place)
        };
        kept.then_some(Fit {
            cost,
            proven: false,
            place,
        })
    }

    /// What it has, whether that is right or not.
    fn as_it_is(&self, standing: &Standing) -> Place {
        let shared = self.search.shared();
        let mut cells: Vec<Placed> = standing
            .cells
            .iter()
            .map(|stand| self.cell(stand, shared))
            .collect();
        let mut several = cells.iter().filter(|c| c.count > 0 || c.bytes > 0).count() > 1;
        let paged = cells.iter().any(|cell| cell.page_size.is_some());
        if shared && several && !paged && self.ask.numa == Numa::Auto {
            // What was parted while it had its own CPUs is together now.
            for cell in cells.iter_mut().skip(1) {
                (cell.count, cell.bytes) = (0, 0);
            }
            several = false;
        }
        if let ([first, ..], false) = (cells.as_mut_slice(), several) {
            (first.bytes, first.count) = (self.ask.memory.bytes, self.ask.cpus.count);
        }
        let own: IdSet = cells
            .iter()
            .fold(IdSet::new(), |all, cell| &all | &cell.cpus);
        let named = self
            .ask
            .cpus
            .set
            .clone()
            .filter(|_| shared)
            .unwrap_or_default();
        let isolated = self
            .search
            .taken_with(&own, self.search.threads())
            .unwrap_or_else(|| own.clone());
        let mut taken = if shared {
            IdSet::new()
        } else {
            &isolated | &standing.helpers
        };
        if self.ask.cpus.l3 == L3::Alone {
            taken = &taken | &self.domains(&own);
        }
        let devices = self.positions(&standing.devices);
        let on_nodes = shared && !matches!(self.ask.numa, Numa::Auto);
        Place {
            memory: self.demands(&cells, several),
            pages: cells.iter().filter_map(|cell| self.pages(cell)).collect(),
            devices: devices::with_groups(self.topology, &devices),
            taken,
            helpers: standing.helpers.clone(),
            shared: shared.then_some(Shared {
                count: self.ask.cpus.count,
                named,
                on_nodes,
            }),
            cells,
        }
    }

    fn cell(&self, stand: &Stand, shared: bool) -> Placed {
        Placed {
            node: stand.node.and_then(|id| self.topology.node(id)),
            count: stand.count,
            cpus: if shared {
                IdSet::new()
            } else {
                stand.cpus.clone()
            },
            bytes: stand.bytes,
            page_size: stand.page_size,
        }
    }

    fn positions(&self, addresses: &[String]) -> Vec<usize> {
        let find = |address: &String| {
            self.topology
                .devices
                .iter()
                .position(|d| d.address == *address)
        };
        addresses.iter().filter_map(find).collect()
    }

    /// All CPUs of the L3 domains of these.
    fn domains(&self, cpus: &IdSet) -> IdSet {
        let cores = &self.topology.cores;
        let l3 = |cpu: u32| self.topology.cpu(cpu).and_then(|(core, _)| cores[core].l3);
        let own: BTreeSet<usize> = cpus.iter().filter_map(l3).collect();
        let all = cores
            .iter()
            .filter(|core| core.l3.is_some_and(|l3| own.contains(&l3)));
        all.flat_map(|core| core.threads.iter().copied()).collect()
    }

    /// Parted: each cell's on its node, with what running it takes on all; else all together.
    fn demands(&self, cells: &[Placed], several: bool) -> Vec<Demand> {
        let ordinary = |cell: &Placed| {
            if cell.page_size.is_some() {
                0
            } else {
                cell.bytes
            }
        };
        if several {
            let own: Vec<(usize, u64)> = cells
                .iter()
                .filter_map(|c| Some((c.node?, ordinary(c))))
                .collect();
            return self.search.demands(&own);
        }
        let bytes = cells
            .iter()
            .map(ordinary)
            .sum::<u64>()
            .saturating_add(self.ask.memory.overhead_bytes);
        vec![Demand {
            nodes: positions(cells.iter().filter_map(|c| c.node)),
            bytes,
        }]
    }

    fn pages(&self, cell: &Placed) -> Option<(usize, usize, u64)> {
        let size = cell.page_size?;
        Some((
            cell.node?,
            self.topology.page_size(size)?,
            cell.bytes.div_ceil(size),
        ))
    }

    /// So many, all of them free, as the policy wants them, on the nodes of their cells.
    fn cpus(&self, standing: &Standing, place: &Place) -> bool {
        let Policy::Dedicated(threads) = self.ask.cpus.policy else {
            let named = self.ask.cpus.set.as_ref();
            return named.is_none_or(|set| set.is_subset(&self.room.free(self.topology)));
        };
        let own = standing
            .cells
            .iter()
            .fold(IdSet::new(), |all, cell| &all | &cell.cpus);
        let asked = self.ask.cpus.set.as_ref().is_none_or(|set| *set == own);
        let l3 = |cell: &Placed| cell.cpus.is_empty() || self.one_l3(&cell.cpus);
        !standing.shared
            && asked
            && own.len() == self.ask.cpus.count as usize
            && self.room.are_open(self.topology, &place.taken)
            && self.search.taken_with(&own, threads).is_some()
            && place.cells.iter().all(l3)
    }

    fn one_l3(&self, cpus: &IdSet) -> bool {
        if !self.ask.cpus.l3.undivided() {
            return true;
        }
        let l3 = |cpu: u32| {
            self.topology
                .cpu(cpu)
                .and_then(|(core, _)| self.topology.cores[core].l3)
        };
        let mut all = cpus.iter().map(l3);
        let first = all.next().flatten();
        first.is_some() && all.all(|l3| l3 == first)
    }

    fn helpers(&self, standing: &Standing, place: &Place) -> bool {
        if self.ask.helpers == 0 || self.search.shared() {
            return standing.helpers.is_empty() || self.search.shared();
        }
        let own = standing
            .cells
            .iter()
            .fold(IdSet::new(), |all, cell| &all | &cell.cpus);
        let isolated = self
            .search
            .taken_with(&own, self.search.threads())
            .unwrap_or_default();
        let first = place.cells.first().and_then(|cell| cell.node);
        let there = |cpu: u32| {
            self.topology
                .cpu(cpu)
                .is_some_and(|(core, _)| first.is_none_or(|n| self.topology.cores[core].node == n))
        };
        standing.helpers.len() == self.ask.helpers as usize
            && standing.helpers.is_disjoint(&isolated)
            && standing.helpers.iter().all(there)
    }

    /// On nodes it may be on, in as many cells of such sizes as are asked for, each with its own CPUs near.
    fn cells(&self, standing: &Standing) -> bool {
        let nodes: Vec<Option<usize>> = standing
            .cells
            .iter()
            .map(|c| c.node.and_then(|id| self.topology.node(id)))
            .collect();
        let known = standing
            .cells
            .iter()
            .zip(&nodes)
            .all(|(stand, node)| stand.node.is_some() == node.is_some());
        let named = self.ask.memory.nodes.is_some();
        let allowed = nodes
            .iter()
            .all(|node| node.map_or(!named, |node| self.search.may_be_on(node)));
        let distinct: BTreeSet<_> = nodes.iter().flatten().collect();
        known
            && allowed
            && distinct.len() == nodes.iter().flatten().count()
            && self.as_asked(standing, &nodes)
    }

    fn as_asked(&self, standing: &Standing, nodes: &[Option<usize>]) -> bool {
        if self.ask.numa == Numa::Auto {
            return self.as_few(standing);
        }
        let needs = self.search.needs();
        let near = |cpus: &IdSet, node: usize| {
            cpus.iter().all(|cpu| {
                self.topology
                    .cpu(cpu)
                    .is_some_and(|(core, _)| self.topology.cores[core].node == node)
            })
        };
        let whole = needs.len() == 1;
        needs.len() == standing.cells.len()
            && needs
                .iter()
                .zip(&standing.cells)
                .zip(nodes)
                .all(|((need, stand), node)| {
                    node.is_some_and(|node| standing.shared || near(&stand.cpus, node))
                        && need.cpus == stand.count
                        && (whole || need.bytes == stand.bytes)
                        && need.wishes.contains(&stand.page_size.unwrap_or(0))
                })
    }

    /// Its memory is what was asked for.
    fn as_few(&self, standing: &Standing) -> bool {
        let wishes = self.search.wishes(&[]);
        let several = standing
            .cells
            .iter()
            .filter(|c| c.count > 0 || c.bytes > 0)
            .count()
            > 1;
        let bytes: u64 = standing.cells.iter().map(|c| c.bytes).sum();
        let paged = standing.cells.iter().any(|c| c.page_size.is_some());
        if several && paged && self.search.shared() {
            return false;
        }
        let first = standing.cells.first();
        (!several || bytes == self.ask.memory.bytes)
            && first.is_some_and(|cell| {
                self.ask.memory.bytes == 0 || wishes.contains(&cell.page_size.unwrap_or(0))
            })
    }

    fn backed(&self, place: &Place) -> bool {
        let paged = place
            .cells
            .iter()
            .filter(|c| c.page_size.is_some() && c.bytes > 0)
            .count();
        place.pages.len() >= paged
            && place
                .pages
                .iter()
                .all(|(node, size, count)| self.room.nodes[*node].pages[*size] >= *count)
    }

    /// Whether its devices are what was asked for, as near as that must be; how many are not as near as they might.
    fn devices(&self, standing: &Standing, place: &Place) -> Option<u32> {
        let asked: u32 = self.ask.devices.iter().map(|d| d.count).sum();
        let own = &place.devices;
        let all =
            own.devices.len() == asked as usize && standing.devices.len() == own.devices.len();
        if !all || !own.taken.is_subset(&self.room.devices) {
            return None;
        }
        let mut nodes: Vec<usize> = place.cells.iter().filter_map(|c| c.node).collect();
        nodes.sort_unstable();
        let served_afar = self.search.serves_afar(&place.helpers, &nodes);
        if asked == 0 {
            return Some(served_afar);
        }
        let only = Room {
            devices: own.taken.clone(),
            ..self.room.clone()
        };
        let given = devices::give(self.topology, &only, &self.ask.devices, &nodes)?;
        Some(given.remote + served_afar)
    }

    fn cost(&self, place: &Place) -> Cost {
        let mut cores = place
            .cells
            .iter()
            .flat_map(|c| &c.cpus)
            .filter_map(|cpu| self.topology.cpu(cpu));
        let nodes: BTreeSet<usize> = cores
            .by_ref()
            .map(|(core, _)| self.topology.cores[core].node)
            .collect();
        let bound: BTreeSet<usize> = place.cells.iter().filter_map(|c| c.node).collect();
        let pairs = nodes
            .iter()
            .flat_map(|a| nodes.iter().filter(move |b| a < *b).map(move |b| (*a, *b)));
        Cost {
            remote_memory: u32::from(!self.search.shared() && !nodes.is_subset(&bound)),
            extra_nodes: u32::try_from(nodes.len().saturating_sub(1)).unwrap_or(u32::MAX),
            distance: pairs.map(|(a, b)| self.topology.distance(a, b)).sum(),
            ..Cost::NONE
        }
    }
}
