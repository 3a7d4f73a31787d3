//! What a place leaves to those who share the host's CPUs.

use infra_api::{L3, Threads};

use crate::ask::Policy;
use crate::cost::Cost;
use crate::fit::search::Search;
use crate::fit::{Fit, Place};
use crate::price::price;

/// So many of which the cheapest is looked for.
const MOST_PLACES: usize = 4096;

impl Search<'_> {
    /// Whether those who share still have CPUs where they are, and no more on each than the ratio says.
    pub(crate) fn leaves_enough(&self, place: &Place) -> bool {
        let enough = !self.room.sharers && place.shared.is_none() || self.leaves_all_enough(place);
        if !enough {
            self.left_too_little.set(true);
        }
        enough
    }

    fn leaves_all_enough(&self, place: &Place) -> bool {
        let counted = place.shared.as_ref().filter(|s| s.named.is_empty());
        let shared = self.room.shared_cpus + counted.map_or(0, |s| u64::from(s.count));
        let free: u64 = self
            .room
            .cores
            .iter()
            .map(|c| u64::from(c.free.count_ones()))
            .sum();
        let left = free.saturating_sub(place.taken.len() as u64);
        let ratio = self
            .room
            .cpu_ratio
            .is_none_or(|ratio| shared * 1000 <= left * u64::from(ratio));
        let mut nodes = 0..self.topology.nodes.len();
        left > 0 && ratio && nodes.all(|node| self.leaves_node(node, place))
    }

    fn leaves_node(&self, node: usize, place: &Place) -> bool {
        let on_nodes = place.shared.as_ref().is_some_and(|s| s.on_nodes);
        let own = on_nodes && place.cells.iter().any(|cell| cell.node == Some(node));
        let shared = own || self.room.nodes[node].sharers;
        !shared || !(&self.room.free_on(self.topology, &[node]) - &place.taken).is_empty()
    }

    /// Where idle threads, or all of a domain, are taken beside the CPUs, the cheapest CPUs are not those that leave most to who
    /// shares the host: where the cheapest left too little, all are looked at.
    pub(crate) fn or_leaving_more(&self, found: Option<Fit>) -> Option<Fit> {
        let takes_more = matches!(self.ask.cpus.policy, Policy::Dedicated(Threads::Isolate))
            || self.ask.cpus.l3 == L3::Alone;
        if !self.left_too_little.get() || !takes_more {
            return found;
        }
        let mut places = Vec::new();
        let proven = self.every(MOST_PLACES, &mut places);
        let fits = places.into_iter().map(|place| {
            let fit = Fit {
                place,
                proven,
                cost: Cost::NONE,
            };
            let cost = price(self.topology, self.room, self.ask, &fit);
            Fit { cost, ..fit }
        });
        found.into_iter().chain(fits).min_by_key(|fit| fit.cost)
    }
}
