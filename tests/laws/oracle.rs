//! Brute force: every host, every set of CPUs, every binding of memory.

use crate::checker::{Stand, check};
use crate::world::{Ask, HostSpec, PAGES_A_UNIT, World};

/// Every way a workload could stand somewhere, whatever the others do.
fn ways(world: &World, ask: &Ask) -> Vec<Stand> {
    let mut ways = Vec::new();
    for (host, spec) in world.hosts.iter().enumerate() {
        for cpus in cpus(spec, ask) {
            for nodes in bindings(spec, ask) {
                let stand = Stand {
                    host,
                    cpus,
                    nodes,
                    pages: pages(ask, nodes),
                };
                if check(world, &[(ask, stand.clone())]).is_ok() {
                    ways.push(stand);
                }
            }
        }
    }
    ways
}

fn cpus(host: &HostSpec, ask: &Ask) -> Vec<u32> {
    match (ask.dedicated, ask.set) {
        (_, Some(set)) => vec![set],
        (false, None) => vec![0],
        (true, None) => (0..=host.cpus())
            .filter(|m| m.count_ones() == ask.count)
            .collect(),
    }
}

/// All its pages on the first node.
fn pages(ask: &Ask, nodes: u32) -> std::collections::BTreeMap<u32, u64> {
    let paged = ask.paged && ask.machine && ask.memory > 0 && nodes != 0;
    let all = paged.then(|| (nodes.trailing_zeros(), ask.memory * PAGES_A_UNIT));
    all.into_iter().collect()
}

/// Bound to every node it names, to one of them, or to none; with huge pages to the node of these.
fn bindings(host: &HostSpec, ask: &Ask) -> Vec<u32> {
    let single = (0..host.nodes.len()).map(|n| 1 << n);
    let mut bindings: Vec<u32> = single.collect();
    if !(ask.paged && ask.machine && ask.memory > 0) {
        bindings.push(ask.nodes.unwrap_or(0));
    }
    bindings
}

/// Whether `asks` can all stand beside those that stand already.
pub(crate) fn possible(world: &World, standing: &[(&Ask, Stand)], asks: &[&Ask]) -> bool {
    let Some((ask, rest)) = asks.split_first() else {
        return true;
    };
    ways(world, ask).into_iter().any(|stand| {
        let mut all = standing.to_vec();
        all.push((*ask, stand));
        check(world, &all).is_ok() && possible(world, &all, rest)
    })
}
