//! Order among instances, as far as people state it: what depends on itself could never be started. What
//! is implied by references may go in circles, for it only needs values and not running things.

use crate::Address;
use crate::engine::Engine;
use crate::evaluation::Instance;
use infra_diag::Diagnostic;
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::{BTreeMap, BTreeSet};

impl Engine {
    /// Reports what people said that can never be: something that depends on itself.
    pub(crate) fn waits_for_itself(&self, instances: &[Instance]) {
        let index = |address: &Address| instances.binary_search_by(|i| i.address.cmp(address)).ok();
        let mut graph = DiGraph::<(), ()>::new();
        let nodes: Vec<NodeIndex> = instances.iter().map(|_| graph.add_node(())).collect();
        for (from, instance) in nodes.iter().zip(instances) {
            for to in instance.depends_on.iter().filter_map(index) {
                graph.add_edge(*from, nodes[to], ());
            }
        }
        for members in tarjan_scc(&graph)
            .into_iter()
            .filter(|members| members.len() > 1)
        {
            self.report([circular(instances, &way_around(&graph, &members))]);
        }
    }
}

/// One way around among nodes that can all reach one another.
fn way_around(graph: &DiGraph<(), ()>, members: &[NodeIndex]) -> Vec<NodeIndex> {
    let members: BTreeSet<NodeIndex> = members.iter().copied().collect();
    let mut path: Vec<NodeIndex> = members.iter().take(1).copied().collect();
    let mut seen: BTreeMap<NodeIndex, usize> = path.iter().map(|first| (*first, 0)).collect();
    while let Some(last) = path.last() {
        let Some(next) = graph.neighbors(*last).filter(|n| members.contains(n)).min() else {
            break;
        };
        if let Some(start) = seen.insert(next, path.len()) {
            return path.split_off(start);
        }
        path.push(next);
    }
    path
}

fn circular(instances: &[Instance], path: &[NodeIndex]) -> Diagnostic {
    let at = |node: &NodeIndex| &instances[node.index()];
    let names = path
        .iter()
        .chain(&path[..1])
        .map(|node| at(node).address.to_string());
    let error = Diagnostic::error("Cycle").note(names.collect::<Vec<_>>().join(" → "));
    let error = path.iter().take(8).fold(error, |error, node| {
        error.at(
            at(node).origin,
            format!("`{}` depends on the next", at(node).address),
        )
    });
    error.hint("remove one of these depends_on")
}
