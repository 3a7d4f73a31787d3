//! Ordinary memory: what is bound to one node, to several together, and to none. Whether all of it can lie somewhere is
//! a flow from what is bound to the nodes it is bound to; it is exact.

use std::collections::BTreeMap;

use infra_api::IdSet;

use crate::room::Room;

/// What stands for a node that does not tell how much it has.
const ENOUGH: u64 = u64::MAX >> 8;

/// Bytes bound to these nodes (positions), to none where there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Demand {
    pub(crate) nodes: IdSet,
    pub(crate) bytes: u64,
}

impl Demand {
    pub(crate) fn on(node: usize, bytes: u64) -> Self {
        Self {
            nodes: positions([node]),
            bytes,
        }
    }
}

/// Node positions as a set: there are never so many that one does not fit.
pub(crate) fn positions(nodes: impl IntoIterator<Item = usize>) -> IdSet {
    nodes
        .into_iter()
        .filter_map(|n| u32::try_from(n).ok())
        .collect()
}

/// Too little memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Short {
    pub(crate) need: u64,
    pub(crate) have: u64,
    /// Positions; none where it is the host as a whole.
    pub(crate) nodes: IdSet,
}

/// Whether all demands of one can be met beside what is bound already; where more is promised than there is, also
/// without the others.
pub(crate) fn check(room: &Room, demands: &[Demand]) -> Result<(), Short> {
    let promised = room.nodes.iter().map(|n| n.bytes).collect();
    within(room.bytes, promised, &room.together, demands)?;
    if room.most.is_none() && room.nodes.iter().all(|n| n.most.is_none()) {
        return Ok(());
    }
    let there = room.nodes.iter().map(|n| n.most).collect();
    within(room.most, there, &BTreeMap::new(), demands)
}

fn within(
    host: Option<u64>,
    nodes: Vec<Option<u64>>,
    bound: &BTreeMap<IdSet, u64>,
    demands: &[Demand],
) -> Result<(), Short> {
    let need = demands
        .iter()
        .fold(0u64, |all, d| all.saturating_add(d.bytes));
    if let Some(have) = host.filter(|have| need > *have) {
        return Err(Short {
            need,
            have,
            nodes: IdSet::new(),
        });
    }
    let mut single: BTreeMap<u32, u64> = BTreeMap::new();
    let mut together = Vec::new();
    for demand in demands
        .iter()
        .filter(|d| !d.nodes.is_empty() && d.bytes > 0)
    {
        match (demand.nodes.len(), demand.nodes.first()) {
            (1, Some(node)) => {
                let sum = single.entry(node).or_default();
                *sum = sum.saturating_add(demand.bytes);
            }
            _ => together.push(demand),
        }
    }
    let mut left: Vec<u64> = (nodes.into_iter())
        .map(|bytes| bytes.unwrap_or(ENOUGH))
        .collect();
    for (node, need) in single {
        let have = left[node as usize];
        left[node as usize] = have.checked_sub(need).ok_or(Short {
            need,
            have,
            nodes: IdSet::from([node]),
        })?;
    }
    if together.is_empty() && bound.is_empty() {
        return Ok(());
    }
    let mut sets: Vec<(&IdSet, u64)> = bound.iter().map(|(nodes, bytes)| (nodes, *bytes)).collect();
    sets.extend(together.iter().map(|d| (&d.nodes, d.bytes)));
    let wanted = sets
        .iter()
        .fold(0u64, |all, (_, bytes)| all.saturating_add(*bytes));
    let met = flow(&sets, left);
    if met >= wanted {
        return Ok(());
    }
    let nodes = together.iter().fold(IdSet::new(), |all, d| &all | &d.nodes);
    let nodes = if nodes.is_empty() {
        demands.iter().fold(nodes, |all, d| &all | &d.nodes)
    } else {
        nodes
    };
    let need = demands
        .iter()
        .filter(|d| !d.nodes.is_empty())
        .fold(0u64, |all, d| all.saturating_add(d.bytes));
    Err(Short {
        need,
        have: need.saturating_sub(wanted - met),
        nodes,
    })
}

/// How much of the sets' bytes finds place on their nodes: a maximal flow by shortest augmenting paths.
fn flow(sets: &[(&IdSet, u64)], mut left: Vec<u64>) -> u64 {
    let mut given = vec![vec![0u64; left.len()]; sets.len()];
    let mut met = 0;
    for (source, (_, bytes)) in sets.iter().enumerate() {
        let mut rest = *bytes;
        while rest > 0 {
            let Some(path) = path(sets, &given, &left, source) else {
                break;
            };
            // A path goes from a set to a node, and on by what another set has there.
            let (end, _) = path[path.len() - 1];
            let through = path
                .iter()
                .filter_map(|(node, pushed)| pushed.map(|set| given[set][*node]));
            let amount = through.chain([rest, left[end]]).min().unwrap_or(0);
            let mut set = source;
            for (node, pushed) in path {
                given[set][node] += amount;
                match pushed {
                    Some(next) => {
                        given[next][node] -= amount;
                        set = next;
                    }
                    None => left[node] -= amount,
                }
            }
            rest -= amount;
            met += amount;
        }
    }
    met
}

/// Nodes from a set to one that has something left, each with the set that is pushed on from there.
fn path(
    sets: &[(&IdSet, u64)],
    given: &[Vec<u64>],
    left: &[u64],
    source: usize,
) -> Option<Vec<(usize, Option<usize>)>> {
    let mut came: Vec<Option<(usize, usize)>> = vec![None; sets.len()];
    let mut seen = vec![false; sets.len()];
    seen[source] = true;
    let mut queue = std::collections::VecDeque::from([source]);
    while let Some(set) = queue.pop_front() {
        for node in sets[set].0.iter().map(|n| n as usize) {
            if left[node] > 0 {
                let mut path = vec![(node, None)];
                let mut at = set;
                while let Some((before, through)) = came[at] {
                    path.push((through, Some(at)));
                    at = before;
                }
                path.reverse();
                return Some(path);
            }
            for other in 0..sets.len() {
                if !seen[other] && given[other][node] > 0 {
                    seen[other] = true;
                    came[other] = Some((set, node));
                    queue.push_back(other);
                }
            }
        }
    }
    None
}
