//! On so many nodes, parted as is best: which nodes, and how many CPUs and how much memory of each.

use infra_api::IdSet;

use crate::cost::Cost;
use crate::fit::search::Search;
use crate::fit::{Fit, Place};
use crate::memory;
use crate::waste::Waste;

/// Told of each set of nodes: the parts of it, and what else a place there is made of; whether to go on.
pub(super) type Each<'e> = dyn FnMut(&[usize], &[(u32, u32)], Place) -> bool + 'e;

/// CPUs and helpers of each node.
type Parts = Vec<(u32, u32)>;

/// Sets of nodes.
pub(super) struct Sets<'s, 'a> {
    pub(super) search: &'s Search<'a>,
    /// Nodes that could give a CPU, with what each could give at most.
    pub(super) nodes: Vec<Giving>,
    pub(super) count: usize,
    /// Size of its pages, 0 for ordinary ones.
    pub(super) size: u64,
    pub(super) wish: u32,
    /// Memory is to be on the same nodes.
    pub(super) local: bool,
    pub(super) nearest: u64,
    pub(super) best: Option<(Cost, Place)>,
}

#[derive(Clone, Copy)]
pub(super) struct Giving {
    pub(super) node: usize,
    pub(super) cpus: u32,
    /// Pages, or bytes where they are ordinary.
    pub(super) memory: u64,
}

impl<'a> Search<'a> {
    /// The best set of `count` nodes, with pages of the wish. `local`: with the memory.
    pub(super) fn spread(
        &self,
        count: usize,
        wish: usize,
        wishes: &[u64],
        local: bool,
    ) -> Option<Fit> {
        let mut sets = self.sets(count, wish, wishes, local)?;
        sets.nearest = sets.nearest();
        sets.branch(0, &mut Vec::new(), 0);
        sets.best.map(|(cost, place)| Fit {
            cost,
            proven: true,
            place,
        })
    }

    fn sets(&self, count: usize, wish: usize, wishes: &[u64], local: bool) -> Option<Sets<'_, 'a>> {
        let size = wishes[wish];
        let nodes: Vec<Giving> = self
            .givers(local)
            .filter_map(|node| self.giving(node, size, local))
            .collect();
        let wish = u32::try_from(wish).unwrap_or(u32::MAX);
        (nodes.len() >= count).then_some(Sets {
            search: self,
            nearest: 0,
            nodes,
            count,
            size,
            wish,
            local,
            best: None,
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
            _ if size == 0 => room.for_one().unwrap_or(u64::MAX),
            position => room.pages[position?],
        };
        Some(Giving { node, cpus, memory })
    }
}

impl<'s, 'a> Sets<'s, 'a> {
    /// Every set of nodes with every way of parting the CPUs, and what else a place there is made of; until `each`
    /// has enough.
    pub(super) fn all(
        search: &'s Search<'a>,
        count: usize,
        wish: usize,
        wishes: &[u64],
        local: bool,
        each: &mut Each<'_>,
    ) {
        let Some(sets) = search.sets(count, wish, wishes, local) else {
            return;
        };
        let mut chosen = Vec::new();
        sets.every(0, &mut chosen, each);
    }

    fn every(&self, from: usize, chosen: &mut Vec<usize>, each: &mut Each<'_>) -> bool {
        if chosen.len() == self.count {
            return self.every_part(chosen, &mut Vec::new(), each);
        }
        for next in from..self.nodes.len() {
            chosen.push(next);
            let go_on = self.search.step() && self.every(next + 1, chosen, each);
            chosen.pop();
            if !go_on {
                return false;
            }
        }
        true
    }

    fn every_part(
        &self,
        chosen: &[usize],
        parts: &mut Vec<(u32, u32)>,
        each: &mut Each<'_>,
    ) -> bool {
        let (all, helpers) = (self.search.ask.cpus.count, self.search.ask.helpers);
        let given: u32 = parts.iter().map(|p| p.0).sum();
        let helped: u32 = parts.iter().map(|p| p.1).sum();
        let nodes: Vec<usize> = chosen.iter().map(|c| self.nodes[*c].node).collect();
        if parts.len() == chosen.len() {
            if (given, helped) != (all, helpers) {
                return true;
            }
            let Some(devices) = self.search.devices(&nodes) else {
                return true;
            };
            let mut place = Place {
                devices,
                ..Place::default()
            };
            let backed = if self.local {
                self.beside(&nodes, parts, &mut place)
            } else {
                self.apart(&mut place)
            };
            return backed.is_none() || each(&nodes, parts, place);
        }
        let node = nodes[parts.len()];
        for own in 1..=all - given {
            for helpers in if helpers > helped {
                vec![0, helpers]
            } else {
                vec![0]
            } {
                if self.search.waste(node, own, helpers).can_be_had() {
                    parts.push((own, helpers));
                    let go_on = self.search.step() && self.every_part(chosen, parts, each);
                    parts.pop();
                    if !go_on {
                        return false;
                    }
                }
            }
        }
        true
    }

    fn nearest(&self) -> u64 {
        let pairs = self.nodes.iter().enumerate();
        let pairs =
            pairs.flat_map(|(i, a)| self.nodes[i + 1..].iter().map(move |b| (a.node, b.node)));
        pairs
            .map(|(a, b)| self.search.topology.distance(a, b))
            .min()
            .unwrap_or(0)
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
        let Some((served_afar, waste, parts)) = self.parts(&nodes) else {
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
            remote_devices: devices.remote + served_afar,
            waste,
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

    /// How many CPUs and helpers of each node: the helpers as near as may be to what they serve, all else at the least cost.
    /// Told before both is how many of what is served are afar.
    fn parts(&self, nodes: &[usize]) -> Option<(u32, Waste, Parts)> {
        let search = self.search;
        if search.ask.helpers == 0 || search.ask.serves.is_empty() {
            let (waste, parts) = self.cheapest(nodes, &|_| true)?;
            return Some((search.served_afar(nodes), waste, parts));
        }
        let afar: Vec<u32> = nodes.iter().map(|n| search.served_afar(&[*n])).collect();
        let mut least = afar.clone();
        least.sort_unstable();
        least.dedup();
        least.into_iter().find_map(|least| {
            let (waste, parts) = self.cheapest(nodes, &|position| afar[position] == least)?;
            Some((least, waste, parts))
        })
    }

    /// At the least cost; of equal ones the most even. `may_help`: whether helpers may be on a node, by its position.
    fn cheapest(
        &self,
        nodes: &[usize],
        may_help: &dyn Fn(usize) -> bool,
    ) -> Option<(Waste, Parts)> {
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
                    if given > 0 && !may_help(position) {
                        continue;
                    }
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
            let ways = ways.filter(|(_, given)| *given == 0 || may_help(position));
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
