//! All worlds that are small enough: every way in which CPUs of a few cores are free, and every plain ask.

use infra_api::IdSet;
use infra_place::{Ask, Core, Cpus, L3, Memory, Node, Numa, Policy, Stock, Threads};

use crate::laws::judge;
use crate::world::World;

const POLICIES: [Policy; 5] = [
    Policy::Dedicated(Threads::Any),
    Policy::Dedicated(Threads::Prefer),
    Policy::Dedicated(Threads::Require),
    Policy::Dedicated(Threads::Isolate),
    Policy::Shared,
];

/// Machines whose nodes have cores of these many threads; `l3` tells the domain of a core by its node and its position.
pub(crate) fn machine(nodes: &[&[u32]], l3: fn(usize, usize) -> Option<usize>) -> World {
    let mut cores = Vec::new();
    let mut next = 0;
    for (node, sizes) in nodes.iter().enumerate() {
        for (position, size) in sizes.iter().enumerate() {
            cores.push(Core {
                node,
                l3: l3(node, position),
                threads: (next..next + size).collect(),
            });
            next += size;
        }
    }
    let node = |id: usize| Node {
        id: id as u32,
        distances: (0..nodes.len())
            .map(|other| if other == id { 10 } else { 20 })
            .collect(),
        ..Node::default()
    };
    World {
        nodes: (0..nodes.len()).map(node).collect(),
        cores,
        devices: Vec::new(),
        served: Vec::new(),
        page_sizes: Vec::new(),
        stock: Stock::default(),
        earlier: Vec::new(),
        ask: Ask::default(),
    }
}

/// Each with every set of its CPUs free.
fn each_room(world: &mut World, mut then: impl FnMut(&mut World)) {
    let cpus: u32 = world.cores.iter().map(|c| c.threads.len() as u32).sum();
    for free in 0u64..1 << cpus {
        let free = (0..cpus).filter(|cpu| free >> cpu & 1 == 1);
        world.stock.cpus = free.collect::<IdSet>();
        then(world);
    }
}

fn hold(world: &World) {
    if let Err(why) = judge(world) {
        panic!("{why}\n{world:#?}");
    }
}

#[test]
fn one_node() {
    let layouts: [&[u32]; 5] = [&[1], &[2], &[1, 2], &[2, 2], &[1, 1, 2]];
    let caches: [fn(usize, usize) -> Option<usize>; 4] = [
        |_, _| None,
        |_, _| Some(0),
        |_, position| Some(position),
        |_, position| (position > 0).then_some(0),
    ];
    let mut all = Vec::new();
    for policy in POLICIES {
        for l3 in [L3::Any, L3::Prefer, L3::Require, L3::Alone] {
            all.extend((1..=4).map(|count| (policy, l3, count)));
        }
    }
    for (layout, cache) in layouts
        .iter()
        .flat_map(|l| caches.iter().map(move |c| (l, c)))
    {
        each_room(&mut machine(&[*layout], *cache), |world| {
            for ((policy, l3, count), helpers) in all.iter().flat_map(|a| [(a, 0), (a, 1)]) {
                world.ask = Ask {
                    cpus: Cpus {
                        count: *count,
                        policy: *policy,
                        set: None,
                        l3: *l3,
                    },
                    helpers,
                    ..Ask::default()
                };
                hold(world);
            }
        });
    }
}

#[test]
fn two_nodes() {
    let layouts: [&[u32]; 3] = [&[1], &[2], &[1, 2]];
    let pairs = layouts
        .iter()
        .flat_map(|a| layouts.iter().map(move |b| [*a, *b]));
    let caches: [fn(usize, usize) -> Option<usize>; 2] = [|node, _| Some(node), |_, _| Some(0)];
    let mut all = Vec::new();
    for policy in POLICIES {
        for l3 in [L3::Prefer, L3::Alone] {
            for numa in [Numa::Auto, Numa::Nodes(2)] {
                all.extend((1..=4).map(|count| (policy, l3, numa.clone(), count)));
            }
        }
    }
    for (pair, cache) in pairs.flat_map(|p| caches.iter().map(move |c| (p, c))) {
        let mut world = machine(&pair, *cache);
        world.stock.node_bytes = [(0, 2), (1, 1)].into();
        each_room(&mut world, |world| {
            for ((policy, l3, numa, count), bytes) in all.iter().flat_map(|a| [(a, 1), (a, 3)]) {
                world.ask = Ask {
                    cpus: Cpus {
                        count: (*count).max(if *numa == Numa::Auto { 1 } else { 2 }),
                        policy: *policy,
                        set: None,
                        l3: *l3,
                    },
                    memory: Memory {
                        bytes,
                        ..Memory::default()
                    },
                    numa: numa.clone(),
                    ..Ask::default()
                };
                hold(world);
            }
        });
    }
}
