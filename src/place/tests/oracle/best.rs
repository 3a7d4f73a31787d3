//! The best place there is, by looking at every one: which nodes, how much of each, which CPUs, which pages and which
//! devices. It shares nothing with the search but the words of the ask.

use infra_place::{Ask, L3, Near, Numa, Policy};

use crate::cpus::{Cores, Part, compositions, may_have, subsets, threads};
use crate::devices;
use crate::tiers::{CpuTiers, Tiers, device_nodes};
use crate::world::{State, World, bits, mask};

/// What a cell is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Want {
    pub cpus: u32,
    pub bytes: u64,
    pub wishes: Vec<u64>,
}

/// Everything that is looked at.
struct Oracle<'a> {
    world: &'a World,
    state: &'a State,
    ask: &'a Ask,
    cores: Cores<'a>,
    /// Nodes its memory may be on.
    allowed: u64,
}

/// The tiers of the best place; nothing where there is no place.
pub(crate) fn best(world: &World, state: &State, ask: &Ask) -> Option<Tiers> {
    let named = ask.memory.nodes.as_ref();
    let allowed = world.named_nodes(ask);
    let there = bits(allowed).map(|n| world.nodes[n].id).collect();
    if named.is_some_and(|named| !named.is_subset(&there)) {
        return None;
    }
    let mut oracle = Oracle {
        world,
        state,
        ask,
        cores: Cores::new(world, state, ask),
        allowed,
    };
    match (&ask.cpus.set, wants(ask)) {
        (Some(set), _) => oracle.exactly(mask(set)),
        (None, Some(cells)) => oracle.cells(&cells),
        (None, None) if ask.cpus.policy == Policy::Shared => oracle.shared(),
        (None, None) => oracle.auto(),
    }
}

pub(crate) fn wishes(ask: &Ask, own: &[u64]) -> Vec<u64> {
    let sizes = if own.is_empty() {
        ask.memory.page_sizes.as_slice()
    } else {
        own
    };
    if sizes.is_empty() {
        vec![0]
    } else {
        sizes.to_vec()
    }
}

/// The cells that are asked for, if they are.
pub(crate) fn wants(ask: &Ask) -> Option<Vec<Want>> {
    match &ask.numa {
        Numa::Auto => None,
        Numa::Cells(cells) => Some(
            cells
                .iter()
                .map(|cell| Want {
                    cpus: cell.cpus,
                    bytes: cell.bytes,
                    wishes: wishes(ask, &cell.page_sizes),
                })
                .collect(),
        ),
        Numa::Nodes(count) => {
            let wishes = wishes(ask, &[]);
            let largest = *wishes.iter().max()?;
            let unit = if largest == 0 { 1u64 << 20 } else { largest };
            let mut cells = vec![
                Want {
                    cpus: 0,
                    bytes: 0,
                    wishes
                };
                *count as usize
            ];
            let count = cells.len();
            (0..ask.cpus.count as usize).for_each(|cpu| cells[cpu % count].cpus += 1);
            for page in 0..ask.memory.bytes / unit {
                cells[page as usize % count].bytes += unit;
            }
            cells[0].bytes += ask.memory.bytes % unit;
            Some(cells)
        }
    }
}

impl Oracle<'_> {
    /// Pages of a size that a node has left.
    fn pages(&self, node: usize, size: u64) -> u64 {
        let position = self.world.page_sizes.iter().position(|s| *s == size);
        position.map_or(0, |size| self.state.pages[node][size])
    }

    /// `afar`: devices that it has or serves and that are not near.
    fn tiers(&self, nodes: u64, cpus: CpuTiers, afar: u64) -> Tiers {
        Tiers {
            extra_nodes: u64::from(nodes.count_ones().saturating_sub(1)),
            distance: self.world.distance(nodes),
            remote_devices: afar,
            cpus,
            device_nodes: device_nodes(self.world, self.state, self.ask, nodes),
            ..Tiers::default()
        }
    }

    /// Nodes of the threads that serve: of its helpers, which are with the first cell, or of all of it.
    fn threads(&self, first: u64, all: u64) -> u64 {
        if self.ask.helpers > 0 { first } else { all }
    }

    fn cells(&mut self, cells: &[Want]) -> Option<Tiers> {
        let mut best = None;
        self.seat(cells, &mut Vec::new(), &mut best);
        best
    }

    fn seat(&mut self, cells: &[Want], nodes: &mut Vec<usize>, best: &mut Option<Tiers>) {
        if nodes.len() < cells.len() {
            for node in bits(self.allowed) {
                if !nodes.contains(&node) {
                    nodes.push(node);
                    self.seat(cells, nodes, best);
                    nodes.pop();
                }
            }
            return;
        }
        let found = self.seated(cells, nodes);
        *best = [*best, found].into_iter().flatten().min_by_key(Tiers::list);
    }

    fn seated(&mut self, cells: &[Want], nodes: &[usize]) -> Option<Tiers> {
        let set = nodes.iter().fold(0, |all, node| all | 1u64 << node);
        let (page_wish, pages_left) = self.backed(cells, nodes, &mut Vec::new())?;
        let remote = devices::best(self.world, self.state, self.ask, set)?;
        let parts = cells.iter().zip(nodes);
        let parts = parts.map(|(cell, node)| Part {
            node: *node,
            count: cell.cpus,
        });
        let cpus = self.cores.best(&parts.collect::<Vec<_>>())?;
        let helped = self.threads(1u64 << nodes[0], set);
        let afar = devices::served_afar(self.world, self.ask, helped);
        Some(Tiers {
            page_wish,
            pages_left,
            ..self.tiers(set, cpus, u64::from(remote) + afar)
        })
    }

    /// The best of all ways in which each cell has one of its wishes: how far down they are, and the pages left.
    fn backed(
        &self,
        cells: &[Want],
        nodes: &[usize],
        chosen: &mut Vec<usize>,
    ) -> Option<(u64, u64)> {
        if let Some(cell) = cells.get(chosen.len()) {
            let mut best = None;
            for wish in 0..cell.wishes.len() {
                chosen.push(wish);
                let found = self.backed(cells, nodes, chosen);
                chosen.pop();
                best = [best, found].into_iter().flatten().min();
            }
            return best;
        }
        let all = nodes.iter().fold(0, |all, node| all | 1u64 << node);
        let mut demands = vec![(all, self.ask.memory.overhead_bytes)];
        let mut left = 0;
        for ((cell, node), wish) in cells.iter().zip(nodes).zip(chosen.iter()) {
            match cell.wishes[*wish] {
                0 => demands.push((1u64 << node, cell.bytes)),
                size if !self.world.page_sizes.contains(&size) => return None,
                size => {
                    left += self
                        .pages(*node, size)
                        .checked_sub(cell.bytes.div_ceil(size))?
                }
            }
        }
        let wish = chosen.iter().map(|wish| *wish as u64).sum();
        self.state.memory_fits(&demands).then_some((wish, left))
    }

    /// Wish by wish, on as few nodes as may be, each with its part of the memory; else CPUs on as few nodes as may be.
    fn auto(&mut self) -> Option<Tiers> {
        let wishes = wishes(self.ask, &[]);
        let most = self.world.nodes.len() as u32;
        for local in [true, false] {
            for (wish, size) in wishes.iter().enumerate() {
                let found = (1..=most).find_map(|count| self.on(count, *size, local));
                if let Some(tiers) = found {
                    return Some(Tiers {
                        remote_memory: u64::from(!local),
                        page_wish: wish as u64,
                        ..tiers
                    });
                }
            }
        }
        None
    }

    /// The best on so many nodes.
    fn on(&mut self, count: u32, size: u64, local: bool) -> Option<Tiers> {
        let undivided = matches!(self.ask.cpus.l3, L3::Require | L3::Alone);
        if !local && undivided && count > 1 {
            return None;
        }
        let everywhere = (1u64 << self.world.nodes.len()) - 1;
        let mut best = None;
        for nodes in subsets(if local { self.allowed } else { everywhere }, count) {
            let backed = if local {
                self.parted(nodes, size)
            } else {
                self.apart(size)
            };
            let remote = devices::best(self.world, self.state, self.ask, nodes);
            let (Some(pages_left), Some(remote)) = (backed, remote) else {
                continue;
            };
            let cpus = self.parts(nodes);
            let tiers = cpus.map(|(afar, cpus)| Tiers {
                pages_left,
                ..self.tiers(nodes, cpus, u64::from(remote) + afar)
            });
            best = [best, tiers].into_iter().flatten().min_by_key(Tiers::list);
        }
        best
    }

    /// The best of all ways to part the CPUs, whichever node has the helpers: with how many served devices are afar.
    fn parts(&mut self, all: u64) -> Option<(u64, CpuTiers)> {
        let nodes: Vec<usize> = bits(all).collect();
        let firsts = if self.ask.helpers > 0 { nodes.len() } else { 1 };
        let mut best = None;
        for counts in compositions(self.ask.cpus.count, nodes.len()) {
            let parts = nodes.iter().zip(&counts);
            let mut parts: Vec<Part> = parts
                .map(|(node, count)| Part {
                    node: *node,
                    count: *count,
                })
                .collect();
            for _ in 0..firsts {
                let threads = self.threads(1u64 << parts[0].node, all);
                let afar = devices::served_afar(self.world, self.ask, threads);
                let found = self.cores.best(&parts).map(|cpus| (afar, cpus));
                best = [best, found].into_iter().flatten().min();
                parts.rotate_left(1);
            }
        }
        best
    }

    /// Whether memory can be parted over these nodes, a byte or a page on each at least; the pages left.
    fn parted(&self, nodes: u64, size: u64) -> Option<u64> {
        let memory = &self.ask.memory;
        let count = u64::from(nodes.count_ones());
        let beside = (nodes, memory.overhead_bytes);
        if size == 0 {
            let least = u64::from(memory.bytes > 0);
            let mut demands: Vec<(u64, u64)> = bits(nodes).map(|n| (1u64 << n, least)).collect();
            demands.push((nodes, memory.bytes.checked_sub(least * count)?));
            demands.push(beside);
            return self.state.memory_fits(&demands).then_some(0);
        }
        let pages = memory.bytes.div_ceil(size);
        let have: Vec<u64> = bits(nodes).map(|node| self.pages(node, size)).collect();
        let some = pages == 0 || pages >= count && !have.contains(&0);
        let left = have.iter().sum::<u64>().checked_sub(pages)?;
        let known = self.world.page_sizes.contains(&size);
        (known && some && self.state.memory_fits(&[beside])).then_some(left)
    }

    /// The same of memory that is bound to the nodes that were named, or to none; huge pages to one.
    fn apart(&self, size: u64) -> Option<u64> {
        let memory = &self.ask.memory;
        if size == 0 {
            let named = memory.nodes.as_ref().map_or(0, |_| self.allowed);
            let demand = (named, memory.bytes + memory.overhead_bytes);
            return self.state.memory_fits(&[demand]).then_some(0);
        }
        if !self.world.page_sizes.contains(&size) {
            return None;
        }
        let pages = memory.bytes.div_ceil(size);
        let fits = |node: &usize| {
            self.state
                .memory_fits(&[(1u64 << node, memory.overhead_bytes)])
        };
        let nodes = bits(self.allowed).filter(fits);
        nodes
            .filter_map(|node| self.pages(node, size).checked_sub(pages))
            .min()
    }

    /// CPUs that are shared: on one node where pages or devices bind it to one, else on none.
    fn shared(&mut self) -> Option<Tiers> {
        let wishes = wishes(self.ask, &[]);
        let near = self
            .ask
            .devices
            .iter()
            .any(|d| d.strict && d.count > 0 && d.near != Near::Host);
        let whole = |wish: usize| Want {
            cpus: self.ask.cpus.count,
            bytes: self.ask.memory.bytes,
            wishes: vec![wishes[wish]],
        };
        let wanted: Vec<Want> = (0..wishes.len()).map(whole).collect();
        let bound = near || wishes.iter().any(|size| *size > 0);
        for (wish, size) in wishes.iter().enumerate() {
            let page_wish = wish as u64;
            if let Some(tiers) = bound.then(|| self.cells(&wanted[wish..=wish])).flatten() {
                return Some(Tiers { page_wish, ..tiers });
            }
            if let Some(tiers) = (*size == 0 && !near).then(|| self.loose(0)).flatten() {
                return Some(Tiers { page_wish, ..tiers });
            }
        }
        let huge = wishes
            .iter()
            .enumerate()
            .filter(|(_, size)| **size > 0 && !near);
        let mut huge = huge.filter_map(|(wish, size)| {
            let tiers = self.loose(*size)?;
            Some(Tiers {
                page_wish: wish as u64,
                remote_memory: 1,
                ..tiers
            })
        });
        huge.next()
    }

    /// CPUs wherever they are.
    fn loose(&self, size: u64) -> Option<Tiers> {
        let pages_left = self.apart(size)?;
        let nodes = self.ask.memory.nodes.as_ref().map_or(0, |_| self.allowed);
        let remote = devices::best(self.world, self.state, self.ask, nodes)?;
        let afar = devices::served_afar(self.world, self.ask, nodes);
        let run = self.state.run(self.world, self.ask, 0, 0);
        run.then(|| Tiers {
            pages_left,
            remote_devices: u64::from(remote) + afar,
            ..Tiers::default()
        })
    }

    /// CPUs that were named: what they alone decide costs nothing, but for the number of their nodes.
    fn exactly(&self, set: u64) -> Option<Tiers> {
        let (world, state, ask) = (self.world, self.state, self.ask);
        let shares = ask.cpus.policy == Policy::Shared;
        let taken = if shares {
            (set & !state.free == 0).then_some(0)?
        } else {
            may_have(world, state, threads(ask), ask.cpus.l3, set)?.taken
        };
        if !state.run(world, ask, 0, taken) {
            return None;
        }
        let nodes = world
            .cores_of(set)
            .fold(0, |all, core| all | 1u64 << world.cores[core].node);
        let remote = devices::best(world, state, ask, nodes)?;
        let near = nodes.count_ones() == 1 && nodes & !self.allowed == 0 && !shares;
        for local in [true, false] {
            for (wish, size) in wishes(ask, &[]).into_iter().enumerate() {
                let backed = match local {
                    true if !near => None,
                    true => self.parted(nodes, size),
                    false => self.apart(size),
                };
                if backed.is_some() {
                    return Some(Tiers {
                        remote_memory: u64::from(!local && !shares),
                        page_wish: wish as u64,
                        extra_nodes: u64::from(nodes.count_ones().saturating_sub(1)),
                        remote_devices: u64::from(remote) + devices::served_afar(world, ask, nodes),
                        ..Tiers::default()
                    });
                }
            }
        }
        None
    }
}
