//! Which devices: asked-for units matched with free devices at the least number of remote ones, the whole IOMMU group of
//! each taken with it.

use std::collections::BTreeSet;

use infra_api::IdSet;

use crate::ask::{Devices, Near};
use crate::room::Room;
use crate::topology::{Device, Topology};

/// Devices chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Given {
    /// Positions, in the order in which they were asked for.
    pub(crate) devices: Vec<usize>,
    /// These, and what shares an IOMMU group with them.
    pub(crate) taken: IdSet,
    /// How many are not as near as they were asked to be.
    pub(crate) remote: u32,
}

/// Finds devices for cells on these nodes; none: it is bound to no node, and every device is as near as another.
pub(crate) fn give(
    topology: &Topology,
    room: &Room,
    asked: &[Devices],
    nodes: &[usize],
) -> Option<Given> {
    if asked.iter().all(|a| a.count == 0) {
        return Some(Given::default());
    }
    let free = free(topology, room);
    let view = View {
        topology,
        asked,
        nodes,
        free,
    };
    let switch = |a: &Devices| a.count > 0 && a.near == Near::Switch;
    if !asked.iter().any(switch) {
        return view.matched(None);
    }
    let bridges = view
        .free
        .iter()
        .flat_map(|d| topology.devices[*d].bridges.iter());
    let mut bridges: Vec<u32> = bridges.copied().collect();
    bridges.sort_unstable();
    bridges.dedup();
    let strict = asked.iter().any(|a| switch(a) && a.strict);
    let loose = (!strict).then_some(None);
    let ways = bridges.into_iter().map(Some).chain(loose);
    ways.filter_map(|bridge| view.matched(bridge))
        .min_by_key(|given| given.remote)
}

/// Free devices of whose groups nobody has any.
fn free(topology: &Topology, room: &Room) -> Vec<usize> {
    let all = || (0u32..).zip(&topology.devices);
    let gone = all().filter(|(position, _)| !room.devices.contains(*position));
    let broken: BTreeSet<u32> = gone.filter_map(|(_, device)| device.group).collect();
    let whole = |device: &Device| device.group.is_none_or(|group| !broken.contains(&group));
    let free = all().filter(|(position, device)| room.devices.contains(*position) && whole(device));
    free.map(|(position, _)| position as usize).collect()
}

struct View<'a> {
    topology: &'a Topology,
    asked: &'a [Devices],
    nodes: &'a [usize],
    free: Vec<usize>,
}

impl View<'_> {
    /// The cost of giving a device for what is asked, where it may be given.
    fn cost(&self, asked: &Devices, device: &Device, bridge: Option<u32>) -> Option<u32> {
        if !device.kinds.contains(&asked.kind) {
            return None;
        }
        let near = self.near(asked.near, device, bridge);
        match (near, asked.strict) {
            (true, _) => Some(0),
            (false, true) => None,
            (false, false) => Some(1),
        }
    }

    fn near(&self, near: Near, device: &Device, bridge: Option<u32>) -> bool {
        match near {
            Near::Host => true,
            Near::Node => self.on_nodes(device),
            Near::Socket => self.nodes.is_empty() || self.in_packages(device),
            Near::Switch => {
                bridge.is_some_and(|b| device.bridges.contains(&b)) && self.on_nodes(device)
            }
        }
    }

    /// On a machine of one node everything is near.
    fn on_nodes(&self, device: &Device) -> bool {
        self.nodes.is_empty()
            || self.topology.nodes.len() == 1
            || device.node.is_some_and(|node| self.nodes.contains(&node))
    }

    fn in_packages(&self, device: &Device) -> bool {
        let package = |node: usize| self.topology.nodes[node].package;
        self.on_nodes(device)
            || device
                .node
                .and_then(package)
                .is_some_and(|own| self.nodes.iter().any(|n| package(*n) == Some(own)))
    }

    fn matched(&self, bridge: Option<u32>) -> Option<Given> {
        let units: Vec<&Devices> = self
            .asked
            .iter()
            .flat_map(|a| std::iter::repeat_n(a, a.count as usize))
            .collect();
        if units.len() > self.free.len() {
            return None;
        }
        let cost: Vec<Vec<Option<u32>>> = units
            .iter()
            .map(|unit| {
                self.free
                    .iter()
                    .map(|d| self.cost(unit, &self.topology.devices[*d], bridge))
                    .collect()
            })
            .collect();
        let chosen = assign(&cost, self.free.len())?;
        let remote = chosen
            .iter()
            .enumerate()
            .filter_map(|(unit, device)| cost[unit][*device])
            .sum();
        let devices: Vec<usize> = chosen.into_iter().map(|device| self.free[device]).collect();
        Some(Given {
            remote,
            ..with_groups(self.topology, &devices)
        })
    }
}

/// Devices with what shares an IOMMU group with them.
pub(crate) fn with_groups(topology: &Topology, devices: &[usize]) -> Given {
    let groups: BTreeSet<u32> = devices
        .iter()
        .filter_map(|d| topology.devices[*d].group)
        .collect();
    let all = (0u32..).zip(&topology.devices).enumerate();
    let taken = all.filter(|(position, (_, device))| {
        devices.contains(position) || device.group.is_some_and(|group| groups.contains(&group))
    });
    Given {
        taken: taken.map(|(_, (id, _))| id).collect(),
        devices: devices.to_vec(),
        remote: 0,
    }
}

/// One column for every row at the least sum of costs, or nothing: rows are added one by one, each by the cheapest
/// way of moving others aside.
fn assign(cost: &[Vec<Option<u32>>], columns: usize) -> Option<Vec<usize>> {
    let mut row_of: Vec<Option<usize>> = vec![None; columns];
    for row in 0..cost.len() {
        // Cheapest way to each column, and the column it came from.
        let mut way: Vec<Option<(i64, Option<usize>)>> = vec![None; columns];
        let step = |way: &mut Vec<Option<(i64, Option<usize>)>>,
                    row: usize,
                    from: Option<usize>,
                    before: i64| {
            let mut changed = false;
            for column in 0..columns {
                let Some(price) = cost[row][column] else {
                    continue;
                };
                let sum = before + i64::from(price);
                if way[column].is_none_or(|(known, _)| sum < known) && from != Some(column) {
                    way[column] = Some((sum, from));
                    changed = true;
                }
            }
            changed
        };
        step(&mut way, row, None, 0);
        let mut changed = true;
        while changed {
            changed = false;
            for column in 0..columns {
                if let (Some((sum, _)), Some(holder)) = (way[column], row_of[column]) {
                    let given_back = sum - i64::from(cost[holder][column].unwrap_or(0));
                    changed |= step(&mut way, holder, Some(column), given_back);
                }
            }
        }
        let open = (0..columns).filter(|c| row_of[*c].is_none());
        let mut end = open
            .filter_map(|c| way[c].map(|(sum, _)| (sum, c)))
            .min()?
            .1;
        // Everybody on the way moves one on.
        while let Some((_, Some(from))) = way[end] {
            row_of[end] = row_of[from];
            end = from;
        }
        row_of[end] = Some(row);
    }
    let mut chosen = vec![0; cost.len()];
    for (column, row) in row_of.iter().enumerate() {
        if let Some(row) = row {
            chosen[*row] = column;
        }
    }
    Some(chosen)
}
