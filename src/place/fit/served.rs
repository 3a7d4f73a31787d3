//! Devices of the host that threads of the workload serve: how near these threads are.

use std::collections::BTreeMap;

use infra_api::IdSet;

use crate::fit::search::Search;

impl Search<'_> {
    /// How many of the devices that its threads serve are on none of these nodes: those of its helpers where it has CPUs
    /// for them, else its own. None where it is bound to no node, and none of which the host does not tell.
    pub(crate) fn served_afar(&self, nodes: &[usize]) -> u32 {
        if nodes.is_empty() {
            return 0;
        }
        self.served_afar_at_least(nodes, 0)
    }

    /// The same at least, with so many further nodes.
    pub(super) fn served_afar_at_least(&self, nodes: &[usize], more: usize) -> u32 {
        if self.ask.serves.is_empty() {
            return 0;
        }
        let told = self.ask.serves.iter();
        let told = told.filter_map(|word| self.topology.served.get(word));
        let mut afar: BTreeMap<usize, u32> = BTreeMap::new();
        for node in told.filter(|node| !nodes.contains(node)) {
            *afar.entry(*node).or_default() += 1;
        }
        let mut counts: Vec<u32> = afar.into_values().collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        counts.iter().skip(more).sum()
    }

    /// The same of a place on these nodes whose helpers are on these CPUs.
    pub(crate) fn serves_afar(&self, helpers: &IdSet, nodes: &[usize]) -> u32 {
        match self.nodes_of(helpers).as_slice() {
            [] => self.served_afar(nodes),
            helpers => self.served_afar(helpers),
        }
    }

    /// The nodes of these CPUs.
    pub(crate) fn nodes_of(&self, cpus: &IdSet) -> Vec<usize> {
        let cores = cpus.iter().filter_map(|cpu| self.topology.cpu(cpu));
        let mut nodes: Vec<usize> = cores
            .map(|(core, _)| self.topology.cores[core].node)
            .collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }
}
