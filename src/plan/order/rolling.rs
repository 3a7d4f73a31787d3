//! Instances of one block that change some at a time: each batch goes after the one before it.

use std::collections::BTreeMap;

use infra_api::ResourceId;
use petgraph::algo::is_cyclic_directed;

use super::{Because, Graph};
use crate::Before;

/// Instances of one block, in their order. Those that are there and change do so in batches; a new one waits for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rolling {
    pub instances: Vec<ResourceId>,
    /// How many change at a time.
    pub max_parallel: usize,
    /// Whether a batch waits until the one before it is ready, and not only until it is changed.
    pub until_ready: bool,
}

impl Graph<'_> {
    /// Orders the batches. Only called where there is no cycle, and makes none.
    pub(super) fn rolling(&mut self, all: &[Rolling]) {
        for rolling in all {
            let in_order = self.changing(rolling);
            self.after_those_before(&in_order, rolling);
            if self.in_batches(&in_order, true, rolling) {
                continue;
            }
            // One takes what a later one lets go of: then that one is first.
            let mut by_place = in_order;
            let places = self.places();
            by_place.sort_by_key(|n| places[n]);
            // Where one must even be removed before another can change, it at least does not come back too early.
            let _ = self.in_batches(&by_place, true, rolling)
                || self.in_batches(&by_place, false, rolling);
        }
    }

    /// The steps that make or change those that are there.
    fn changing(&self, rolling: &Rolling) -> Vec<usize> {
        let made = rolling.instances.iter().filter_map(|id| self.makes.get(id));
        let there = made.filter(|n| self.drafts[**n].before != Before::Absent);
        there.copied().collect()
    }

    /// The first batch waits for those just before it that do not change: an apply that was stopped by one which is not
    /// ready is not gone on with before it is.
    fn after_those_before(&mut self, changing: &[usize], rolling: &Rolling) {
        let is_still = |id: &&ResourceId| !self.makes.contains_key(id);
        let before: Vec<ResourceId> = rolling
            .instances
            .iter()
            .take_while(is_still)
            .cloned()
            .collect();
        let last = before.len().saturating_sub(rolling.max_parallel);
        for first in changing
            .iter()
            .take(rolling.max_parallel)
            .filter(|_| rolling.until_ready)
        {
            let begins = self.removes.get(&self.drafts[*first].id).unwrap_or(first);
            let waits = self.waits.entry(*begins).or_default();
            waits.extend(before[last..].iter().cloned());
        }
    }

    /// A batch begins (`whole`: also with its removals) when the one before it has ended. False, and nothing is done,
    /// where that would be a cycle.
    fn in_batches(&mut self, changing: &[usize], whole: bool, rolling: &Rolling) -> bool {
        let of = |later: usize| match self.removes.get(&self.drafts[later].id) {
            Some(removes) if whole => *removes,
            _ => later,
        };
        let pairs: Vec<(usize, usize)> = pairs(changing, rolling.max_parallel)
            .map(|(earlier, later)| (earlier, of(later)))
            .collect();
        let mut edges = Vec::with_capacity(pairs.len());
        for (earlier, later) in &pairs {
            let (from, to) = (self.nodes[*earlier], self.nodes[*later]);
            edges.push(self.graph.add_edge(from, to, Because::Order));
        }
        if is_cyclic_directed(&self.graph) {
            // The last one added is the only one whose removal renames no other.
            while let Some(edge) = edges.pop() {
                self.graph.remove_edge(edge);
            }
            return false;
        }
        for (earlier, later) in pairs.into_iter().filter(|_| rolling.until_ready) {
            let id = self.drafts[earlier].id.clone();
            self.waits.entry(later).or_default().insert(id);
        }
        true
    }

    /// Of each step its place in an order that holds.
    fn places(&self) -> BTreeMap<usize, usize> {
        let places = self.in_turn().into_iter().enumerate();
        places.map(|(place, n)| (n, place)).collect()
    }
}

/// Each of a batch with each of the next.
fn pairs(changing: &[usize], size: usize) -> impl Iterator<Item = (usize, usize)> {
    let batches = changing.chunks(size.max(1));
    let next = changing.chunks(size.max(1)).skip(1);
    batches.zip(next).flat_map(|(batch, next)| {
        let with_all = |one: &'_ usize| {
            let one = *one;
            next.iter().map(move |other| (one, *other))
        };
        batch.iter().flat_map(with_all)
    })
}
