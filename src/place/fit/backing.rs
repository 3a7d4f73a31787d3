//! Memory of a place on several nodes: parted as its CPUs are, or apart from them.

use crate::fit::spread::Sets;
use crate::fit::{Place, Placed};
use crate::memory::{self, Demand, positions};

impl Sets<'_, '_> {
    /// Pages, or bytes, that are needed on the nodes.
    pub(super) fn units(&self) -> u64 {
        match (self.local, self.size) {
            (false, _) => 0,
            (true, 0) => self.search.ask.memory.bytes,
            (true, size) => self.search.ask.memory.bytes.div_ceil(size),
        }
    }

    /// Memory on the nodes of the CPUs, as the CPUs are parted where that can be.
    pub(super) fn beside(
        &self,
        nodes: &[usize],
        parts: &[(u32, u32)],
        place: &mut Place,
    ) -> Option<()> {
        let search = self.search;
        let weights: Vec<u64> = parts.iter().map(|(cpus, _)| u64::from(*cpus)).collect();
        let room = |node: &usize| {
            self.nodes
                .iter()
                .find(|g| g.node == *node)
                .map_or(0, |g| g.memory)
        };
        let caps: Vec<u64> = nodes.iter().map(room).collect();
        let units = parted(self.units(), &weights, &caps)?;
        let paged = search
            .topology
            .page_size(self.size)
            .filter(|_| self.size > 0);
        let ordinary = |(node, n): (&usize, &u64)| (*node, if paged.is_some() { 0 } else { *n });
        let ordinary: Vec<(usize, u64)> = nodes.iter().zip(&units).map(ordinary).collect();
        place.memory = search.demands(&ordinary);
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

    /// Memory wherever it may be: huge pages on one node, the tightest.
    pub(super) fn apart(&self, place: &mut Place) -> Option<()> {
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
