//! Every way to give devices.

use infra_place::{Ask, Near};

use crate::world::{State, World, bits};

/// Whether a device is as near to the nodes as it was asked to be; below this bridge, for those who are to be below one.
/// Who is bound to no node is near to all, and on a machine of one node everything is.
pub(crate) fn near(
    world: &World,
    nodes: u64,
    near: Near,
    bridge: Option<u32>,
    device: usize,
) -> bool {
    let device = &world.devices[device];
    let package = |node: usize| world.nodes[node].package;
    let known = device.node.is_some_and(|node| nodes >> node & 1 == 1);
    let on_node = nodes == 0 || world.nodes.len() == 1 || known;
    let beside = |own: u32| bits(nodes).any(|node| package(node) == Some(own));
    match near {
        Near::Host => true,
        Near::Node => on_node,
        Near::Socket => on_node || device.node.and_then(package).is_some_and(beside),
        Near::Switch => on_node && bridge.is_some_and(|bridge| device.bridges.contains(&bridge)),
    }
}

/// Of the devices that it serves, those that are known to be on another node than its threads. Who is bound to no node is
/// near to all.
pub(crate) fn served_afar(world: &World, ask: &Ask, threads: u64) -> u64 {
    if threads == 0 {
        return 0;
    }
    let mut afar = 0;
    for word in &ask.serves {
        for (known, node) in &world.served {
            afar += u64::from(known == word && threads >> node & 1 == 0);
        }
    }
    afar
}

/// The fewest that are not as near as was asked, if there are enough at all.
pub(crate) fn best(world: &World, state: &State, ask: &Ask, nodes: u64) -> Option<u32> {
    let mut wanted = Vec::new();
    for (request, devices) in ask.devices.iter().enumerate() {
        wanted.extend((0..devices.count).map(|_| request));
    }
    let ways = bridges(world).into_iter();
    ways.filter_map(|bridge| walk(world, state, ask, nodes, bridge, &wanted, 0))
        .min()
}

/// Every bridge, and none.
pub(crate) fn bridges(world: &World) -> Vec<Option<u32>> {
    let bridges = world.devices.iter().flat_map(|d| d.bridges.iter().copied());
    let mut bridges: Vec<Option<u32>> = bridges.map(Some).chain([None]).collect();
    bridges.sort_unstable();
    bridges.dedup();
    bridges
}

fn walk(
    world: &World,
    state: &State,
    ask: &Ask,
    nodes: u64,
    bridge: Option<u32>,
    wanted: &[usize],
    given: u64,
) -> Option<u32> {
    let Some((first, rest)) = wanted.split_first() else {
        return Some(0);
    };
    let request = &ask.devices[*first];
    let mut best: Option<u32> = None;
    for device in 0..world.devices.len() {
        let is = world.devices[device].kinds.contains(&request.kind);
        let free = given >> device & 1 == 0 && world.group(device) & !state.devices == 0;
        let near = near(world, nodes, request.near, bridge, device);
        if !is || !free || request.strict && !near {
            continue;
        }
        let after = walk(
            world,
            state,
            ask,
            nodes,
            bridge,
            rest,
            given | 1u64 << device,
        );
        let remote = after.map(|after| after + u32::from(!near));
        best = [best, remote].into_iter().flatten().min();
    }
    best
}
