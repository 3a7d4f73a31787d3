//! On so many nodes, parted as is best: which nodes, and how many CPUs and how much memory of each.

use infra_api::IdSet;

use crate::cost::Cost;
use crate::fit::search::Search;
use crate::fit::{Fit, Place, Placed};
use crate::memory::{self, Demand, positions};
use crate::waste::Waste;

/// Sets of nodes.
struct Sets<'s, 'a> {
    search: &'s Search<'a>,
    /// Nodes that could give a CPU, with what each could give at most.
    nodes: Vec<Giving>,
    count: usize,
    /// Size of its pages, 0 for ordinary ones.
    size: u64,
    wish: u32,
    /// Memory is to be on the same nodes.
    local: bool,
    nearest: u64,
    best: Option<(Cost, Place)>,
}

#[derive(Clone, Copy)]
struct Giving {
    node: usize,
    cpus: u32,
    /// Pages, or bytes where they are ordinary.
    memory: u64,
}

impl Search<'_> {
    /// The best set of `count` nodes, with pages of the wish. `local`: with the memory.
    pub(super) fn spread(
        &self,
        count: usize,
        wish: usize,
        wishes: &[u64],
        local: bool,
    ) -> Option<Fit> {
        let size = wishes[wish];
        let nodes: Vec<Giving> = self
            .givers(local)
            .filter_map(|node| self.giving(node, size, local))
            .collect();
        if nodes.len() < count {
            return None;
        }
        let mut sets = Sets {
            search: self,
            nearest: 0,
            nodes,
            count,
            size,
            wish: u32::try_from(wish).unwrap_or(u32::MAX),
            local,
            best: None,
        };
        sets.nearest = sets.nearest();
        sets.branch(0, &mut Vec::new(), 0);
        sets.best.map(|(cost, place)| Fit {
            cost,
            proven: true,
            place,
        })
    }

    /// Nodes its CPUs may be on.
    fn givers(&self, local: bool) -> impl Iterator<Item = usize> {
        let nodes = if local {
            self.eligible()
        } else {
            (0..self.topology.nodes.len()).collect()
        };
        nodes.into_iter()
    }

    fn giving(&self, node: usize, size: u64, local: bool) -> Option<Giving> {
        let cpus = (1..=self.ask.cpus.count)
            .rev()
            .find(|n| self.waste(node, *n, 0).can_be_had())?;
        let room = &self.room.nodes[node];
        let memory = match self.topology.page_size(size) {
            _ if !local => u64::MAX,
            _ if size == 0 => room.bytes.unwrap_or(u64::MAX),
            position => room.pages[position?],
        };
        Some(Giving { node, cpus, memory })
    }
}

impl Sets<'_, '_> {
    fn nearest(&self) -> u64 {
        let pairs = self.nodes.iter().enumerate();
        let pairs =
            pairs.flat_map(|(i, a)| self.nodes[i + 1..].iter().map(move |b| (a.node, b.node)));
        pairs
            .map(|(a, b)| self.search.topology.distance(a, b))
            .min()
            .unwrap_or(0)
    }

    /// Pages, or bytes, that are needed on the nodes.
    fn units(&self) -> u64 {
        match (self.local, self.size) {
            (false, _) => 0,
            (true, 0) => self.search.ask.memory.bytes,
            (true, size) => self.search.ask.memory.bytes.div_ceil(size),
        }
    }

    /// `chosen` are positions in `nodes`, ascending; the next is `from` or later.
    fn branch(&mut self, from: usize, chosen: &mut Vec<usize>, distance: u64) {
        if chosen.len() == self.count {
            self.leaf(chosen, distance);
            return;
        }
        for next in from..self.nodes.len() {
            if !self.search.step() {
                return;
            }
            let topology = self.search.topology;
            let node = self.nodes[next].node;
            let added: u64 = chosen
                .iter()
                .map(|c| topology.distance(self.nodes[*c].node, node))
                .sum();
            chosen.push(next);
            if self.promising(chosen, distance + added) {
                self.branch(next + 1, chosen, distance + added);
            }
            chosen.pop();
        }
    }

    /// Whether enough can be had with the best of the later nodes, and at less than the best cost.
    fn promising(&self, chosen: &[usize], distance: u64) -> bool {
        let open = self.count - chosen.len();
        let later = &self.nodes[chosen.last().map_or(0, |last| last + 1)..];
        if later.len() < open {
            return false;
        }
        let most = |of: fn(&Giving) -> u64| {
            let own = chosen
                .iter()
                .map(|c| of(&self.nodes[*c]))
                .fold(0u64, u64::saturating_add);
            let mut rest: Vec<u64> = later.iter().map(of).collect();
            rest.sort_unstable_by(|a, b| b.cmp(a));
            rest.iter()
                .take(open)
                .copied()
                .fold(own, u64::saturating_add)
        };
        if most(|g| u64::from(g.cpus)) < u64::from(self.search.ask.cpus.count)
            || most(|g| g.memory) < self.units()
        {
            return false;
        }
        let pairs = open * chosen.len() + open * open.saturating_sub(1) / 2;
        let bound = distance + self.nearest * pairs as u64;
        self.best
            .as_ref()
            .is_none_or(|(best, _)| bound <= best.distance)
    }

    fn leaf(&mut self, chosen: &[usize], distance: u64) {
        let search = self.search;
        let nodes: Vec<usize> = chosen.iter().map(|c| self.nodes[*c].node).collect();
        let Some(devices) = search.devices(&nodes) else {
            return;
        };
        let Some((waste, parts)) = self.parts(&nodes) else {
            return;
        };
        let taken = |(node, (cpus, helpers)): (&usize, &(u32, u32))| {
            search.left_over(*node, cpus + helpers)
        };
        let mut cost = Cost {
            remote_memory: u32::from(!self.local),
            page_wish: self.wish,
            extra_nodes: u32::try_from(nodes.len().saturating_sub(1)).unwrap_or(u32::MAX),
            distance,
            remote_devices: devices.remote,
            waste,
            device_nodes: search.device_nodes(&nodes),
            left_over: nodes.iter().zip(&parts).map(taken).sum(),
            pages_left: 0,
        };
        if self.best.as_ref().is_some_and(|(best, _)| *best <= cost) {
            return;
        }
        let mut place = Place {
            devices,
            ..Place::default()
        };
        let backed = if self.local {
            self.beside(&nodes, &parts, &mut place)
        } else {
            self.apart(&mut place)
        };
        if backed.is_none() {
            return;
        }
        self.cpus(&nodes, &parts, &mut place);
        let left = |(node, size, count): &(usize, usize, u64)| {
            search.room.nodes[*node].pages[*size] - count
        };
        cost.pages_left = place.pages.iter().map(left).sum();
        let cheaper = self.best.as_ref().is_none_or(|(best, _)| cost < *best);
        if cheaper
            && memory::check(search.room, &place.memory).is_ok()
            && search.leaves_enough(&place)
        {
            self.best = Some((cost, place));
        }
    }

    /// How many CPUs and helpers of each node, at the least cost; of equal ones the most even.
    fn parts(&self, nodes: &[usize]) -> Option<(Waste, Vec<(u32, u32)>)> {
        let (count, helpers) = (self.search.ask.cpus.count, self.search.ask.helpers);
        let width = count as usize + 1;
        let kinds: &[u32] = if helpers > 0 { &[0, helpers] } else { &[0] };
        let at = |cpus: u32, helped: usize| helped * width + cpus as usize;
        let mut first = vec![vec![Waste::NEVER; width * kinds.len()]];
        first[0][0] = Waste::NONE;
        for (position, node) in nodes.iter().enumerate() {
            let before = &first[position];
            let mut after = vec![Waste::NEVER; width * kinds.len()];
            for own in 1..=count {
                for (given, helpers) in kinds.iter().enumerate() {
                    let waste = self.search.waste(*node, own, *helpers);
                    if !waste.can_be_had() {
                        continue;
                    }
                    for helped in 0..kinds.len() - given {
                        for cpus in own..=count {
                            let sum = before[at(cpus - own, helped)] + waste;
                            let best = &mut after[at(cpus, helped + given)];
                            *best = sum.min(*best);
                        }
                    }
                }
            }
            first.push(after);
        }
        let (mut cpus, mut helped) = (count, kinds.len() - 1);
        let all = first[nodes.len()][at(cpus, helped)];
        all.can_be_had().then_some(())?;
        let mut parts = vec![(0, 0); nodes.len()];
        for (position, node) in nodes.iter().enumerate().rev() {
            let even = cpus / u32::try_from(position + 1).unwrap_or(u32::MAX);
            let ways = (1..=cpus).flat_map(|own| (0..=helped).map(move |given| (own, given)));
            let fits = ways.filter(|(own, given)| {
                let before = first[position][at(cpus - own, helped - given)];
                before + self.search.waste(*node, *own, kinds[*given])
                    == first[position + 1][at(cpus, helped)]
            });
            let (own, given) =
                fits.min_by_key(|(own, given)| (own.abs_diff(even), *own, *given))?;
            parts[position] = (own, kinds[given]);
            (cpus, helped) = (cpus - own, helped - given);
        }
        Some((all, parts))
    }

    /// Memory on the nodes of the CPUs, as the CPUs are parted where that can be.
    fn beside(&self, nodes: &[usize], parts: &[(u32, u32)], place: &mut Place) -> Option<()> {
        let search = self.search;
        let weights: Vec<u64> = parts.iter().map(|(cpus, _)| u64::from(*cpus)).collect();
        let room = |node: &usize| {
            self.nodes
                .iter()
                .find(|g| g.node == *node)
                .map_or(0, |g| g.memory)
        };
        let caps: Vec<u64> = nodes.iter().map(room).collect();
        let mut units = parted(self.units(), &weights, &caps)?;
        let paged = search
            .topology
            .page_size(self.size)
            .filter(|_| self.size > 0);
        let demands = |units: &[u64]| {
            let ordinary = nodes
                .iter()
                .zip(units)
                .map(|(node, n)| (*node, if paged.is_some() { 0 } else { *n }));
            search.demands(&ordinary.collect::<Vec<_>>())
        };
        place.memory = demands(&units);
        if paged.is_none() && memory::check(search.room, &place.memory).is_err() {
            units = self.as_it_goes(nodes)?;
            place.memory = demands(&units);
        }
        let size = if self.size == 0 { 1 } else { self.size };
        let bytes: Vec<u64> = units.iter().map(|n| n.saturating_mul(size)).collect();
        place.pages = paged
            .map(|size| {
                nodes
                    .iter()
                    .zip(&units)
                    .map(|(node, count)| (*node, size, *count))
                    .collect()
            })
            .unwrap_or_default();
        place.cells = nodes
            .iter()
            .zip(bytes)
            .map(|(node, bytes)| Placed {
                node: Some(*node),
                bytes,
                page_size: paged.map(|_| self.size),
                ..Placed::default()
            })
            .collect();
        Some(())
    }

    /// Ordinary memory parted so that those who are bound to several nodes have theirs too.
    fn as_it_goes(&self, nodes: &[usize]) -> Option<Vec<u64>> {
        let memory = &self.search.ask.memory;
        let all = memory.bytes.checked_add(memory.overhead_bytes)?;
        let mut parts = memory::parted(self.search.room, nodes, all)?;
        let mut beside = memory.overhead_bytes;
        for part in &mut parts {
            // A cell without memory is none.
            let given = beside.min(part.saturating_sub(1));
            *part -= given;
            beside -= given;
        }
        (beside == 0 && !parts.contains(&0)).then_some(parts)
    }

    /// Memory wherever it may be: huge pages on one node, the tightest.
    fn apart(&self, place: &mut Place) -> Option<()> {
        let search = self.search;
        let bytes = search.ask.memory.bytes;
        let named = search.ask.memory.nodes.is_some();
        let eligible = search.eligible();
        let overhead = search.ask.memory.overhead_bytes;
        let mut nodes = if named { eligible.clone() } else { Vec::new() };
        let mut own = bytes;
        if self.size > 0 {
            let size = search.topology.page_size(self.size)?;
            let count = bytes.div_ceil(self.size);
            let have = |node: &usize| search.room.nodes[*node].pages[size];
            let beside =
                |node: &usize| memory::check(search.room, &[Demand::on(*node, overhead)]).is_ok();
            let fits = eligible
                .iter()
                .filter(|node| have(node) >= count && beside(node));
            let node = *fits.min_by_key(|node| (have(node), **node))?;
            place.pages = vec![(node, size, count)];
            nodes = vec![node];
            own = 0;
        }
        place.memory = vec![Demand {
            nodes: positions(nodes.iter().copied()),
            bytes: own.saturating_add(overhead),
        }];
        let cell = |node: Option<usize>| Placed {
            node,
            ..Placed::default()
        };
        place.cells = vec![Placed {
            bytes,
            page_size: (self.size > 0).then_some(self.size),
            ..cell(nodes.first().copied())
        }];
        place
            .cells
            .extend(nodes.iter().skip(1).map(|node| cell(Some(*node))));
        Some(())
    }

    /// The CPUs: of each node in its cell, in the first cell where memory is elsewhere.
    fn cpus(&self, nodes: &[usize], parts: &[(u32, u32)], place: &mut Place) {
        for (position, (node, (cpus, helpers))) in nodes.iter().zip(parts).enumerate() {
            let pick = self.search.pick(*node, *cpus, *helpers);
            place.taken.extend(&pick.taken);
            place.helpers.extend(&pick.helpers);
            let cell = &mut place.cells[if self.local { position } else { 0 }];
            cell.count += cpus;
            let own: IdSet = &cell.cpus | &pick.cpus;
            cell.cpus = own;
        }
        // Helpers are on the node of the first cell.
        let helped = parts.iter().position(|(_, helpers)| *helpers > 0);
        if let Some(helped) = helped.filter(|_| self.local) {
            place.cells[..=helped].rotate_right(1);
        }
    }
}

/// Parts of `all` as the weights are, one unit each at least, none above its cap.
fn parted(all: u64, weights: &[u64], caps: &[u64]) -> Option<Vec<u64>> {
    let sum: u64 = weights.iter().sum();
    let room = caps.iter().fold(0u64, |sum, cap| sum.saturating_add(*cap));
    if room < all || (all > 0 && all < weights.len() as u64) || (all > 0 && caps.contains(&0)) {
        return None;
    }
    let least = u64::from(all > 0);
    let share = |weight: u64| {
        u64::try_from(u128::from(all) * u128::from(weight) / u128::from(sum.max(1))).unwrap_or(all)
    };
    let mut parts: Vec<u64> = weights
        .iter()
        .zip(caps)
        .map(|(weight, cap)| share(*weight).max(least).min(*cap))
        .collect();
    let mut given: u64 = parts.iter().sum();
    // One unit at least may have been too much for the last.
    while given > all {
        let largest = parts
            .iter()
            .enumerate()
            .max_by_key(|(i, part)| (**part, *i))
            .map(|(i, _)| i)?;
        parts[largest] -= 1;
        given -= 1;
    }
    for (part, cap) in parts.iter_mut().zip(caps) {
        let more = (cap - *part).min(all - given);
        *part += more;
        given += more;
    }
    Some(parts)
}
