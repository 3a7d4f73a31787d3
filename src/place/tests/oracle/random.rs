//! Small machines and asks of every kind, from a seed.

use std::collections::BTreeMap;

use infra_api::IdSet;
use infra_place::{
    Ask, Cell, Core, Cpus, Device, Devices, L3, Memory, Near, Node, NodeKind, Numa, Policy, Stock,
    Threads,
};

use crate::world::World;

/// Ordinary memory comes in these.
const UNIT: u64 = 1u64 << 19;
const SIZES: [u64; 2] = [4 * UNIT, 16 * UNIT];

/// splitmix64.
pub(crate) struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Once in so many times.
    fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize].clone()
    }
}

/// The world of a seed.
pub(crate) fn world(seed: u64) -> World {
    let mut dice = Dice(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let count = dice.of(&[1, 1, 2, 2, 2, 3, 3, 4]);
    let ids = dice.of(&[[0, 1, 2, 3], [0, 2, 5, 8], [1, 3, 4, 7]]);
    let mut nodes = Vec::new();
    for (position, id) in ids.into_iter().enumerate().take(count) {
        let distances = (0..count)
            .map(|_| dice.of(&[0, 10, 20, 20, 21, 32]))
            .collect();
        nodes.push(Node {
            id,
            kind: dice.of(&[
                NodeKind::Whole,
                NodeKind::Whole,
                NodeKind::Whole,
                NodeKind::Whole,
                NodeKind::Whole,
                NodeKind::Whole,
                NodeKind::Memory,
                NodeKind::Barred,
            ]),
            distances,
            package: dice.of(&[
                None,
                Some(0),
                Some(position as u32 / 2),
                Some(position as u32),
            ]),
        });
    }
    let cores = cores(&mut dice, &nodes);
    let devices = devices(&mut dice, count);
    let stock = stock(&mut dice, &nodes, &cores, &devices);
    let page_sizes = dice.of(&[SIZES.to_vec(), SIZES.to_vec(), vec![SIZES[0]], Vec::new()]);
    let mut world = World {
        nodes,
        cores,
        devices,
        served: Vec::new(),
        page_sizes,
        stock,
        earlier: Vec::new(),
        ask: Ask::default(),
    };
    for _ in 0..dice.of(&[0, 0, 1, 2, 3]) {
        let size = dice.of(&[1, 2, 3]);
        let ask = ask(&mut dice, &world, size);
        world.earlier.push(ask);
    }
    let size = dice.of(&[1, 2, 4, 8, 12, 16]);
    world.ask = ask(&mut dice, &world, size);
    // Most ask for no more than there is in all: what refuses them then is how it lies.
    if !dice.once_in(8) {
        for _ in 0..20 {
            if may_fit(&world) {
                break;
            }
            let size = dice.of(&[1, 2, 4, 6]);
            world.ask = ask(&mut dice, &world, size);
        }
    }
    serve(&mut dice, &mut world);
    world
}

/// Every other world has devices that threads serve; of some nobody tells.
fn serve(dice: &mut Dice, world: &mut World) {
    let words = ["disk a", "disk b", "disk c", "card d"];
    let count = world.nodes.len() as u64;
    if dice.once_in(2) {
        return;
    }
    for word in words {
        if !dice.once_in(4) {
            let node = dice.below(count) as usize;
            world.served.push((word.to_owned(), node));
        }
    }
    for _ in 0..dice.below(4) {
        world.ask.serves.push(dice.of(&words).to_owned());
    }
}

/// Whether there is as much of everything as is asked for, wherever it is, were nothing taken.
fn may_fit(world: &World) -> bool {
    let World { stock, ask, .. } = world;
    let whole = |node: &&Node| node.kind == NodeKind::Whole;
    let cells = match &ask.numa {
        Numa::Auto => 1,
        Numa::Nodes(count) => *count as usize,
        Numa::Cells(cells) => cells.len(),
    };
    let named = (ask.memory.nodes.iter().flat_map(IdSet::iter)).all(|id| {
        let node = world.nodes.iter().find(|node| node.id == id);
        node.is_some_and(|node| node.kind != NodeKind::Barred)
    });
    let bytes = |size: u64| match size {
        0 => stock.node_bytes.values().sum::<u64>(),
        size => {
            let pages = stock.pages.iter().filter(|((_, of), _)| *of == size);
            pages.map(|(_, count)| count * size).sum()
        }
    };
    let mut sizes = ask.memory.page_sizes.clone();
    if sizes.is_empty() {
        sizes.push(0);
    }
    let of = |kind: &String| {
        let of = |d: &&Device| d.kinds.contains(kind) && stock.devices.contains(&d.address);
        world.devices.iter().filter(of).count()
    };
    cells <= world.nodes.iter().filter(whole).count()
        && named
        && (ask.cpus.count + ask.helpers) as usize <= (stock.cpus.len() / 3).max(1)
        && sizes.iter().any(|size| bytes(*size) >= ask.memory.bytes)
        && (ask.devices.iter()).all(|d| of(&d.kind) >= d.count as usize)
}

/// A world in which devices decide: there are some, and little else is asked for.
pub(crate) fn with_devices(seed: u64) -> World {
    let mut dice = Dice(seed.wrapping_mul(0xd6e8_feb8_6659_fd93));
    let mut world = world(seed);
    while world.devices.is_empty() {
        world.devices = devices(&mut dice, world.nodes.len());
    }
    let there = world.devices.iter().filter(|_| !dice.once_in(12));
    world.stock.devices = there.map(|d| d.address.clone()).collect();
    let count = 1 + dice.below(2) as u32;
    world.ask = Ask {
        cpus: Cpus {
            count,
            policy: dice.of(&[Policy::Dedicated(Threads::Any), Policy::Shared]),
            ..Cpus::default()
        },
        memory: Memory {
            bytes: UNIT,
            ..Memory::default()
        },
        numa: dice.of(&[Numa::Auto, Numa::Auto, Numa::Nodes(1), Numa::Nodes(count)]),
        serves: world.ask.serves,
        ..Ask::default()
    };
    // Mostly no more than there are.
    let (few, mut tries) = (!dice.once_in(5), 0);
    while world.ask.devices.iter().all(|d| d.count == 0) || few && tries < 20 && !may_fit(&world) {
        world.ask.devices = wanted(&mut dice);
        tries += 1;
    }
    world
}

fn cores(dice: &mut Dice, nodes: &[Node]) -> Vec<Core> {
    let sizes = dice.of(&[vec![1], vec![2], vec![2], vec![1, 2], vec![1, 2, 4]]);
    let caches = dice.below(6);
    let most = dice.of(&[2, 4, 4, 6, 8]);
    let mut cores: Vec<Core> = Vec::new();
    for (node, of) in nodes.iter().enumerate() {
        let has = match of.kind {
            NodeKind::Whole => !dice.once_in(12),
            NodeKind::Memory => false,
            NodeKind::Barred => dice.once_in(2),
        };
        let mut left = if has {
            dice.of(&[most, most, 1 + most / 2])
        } else {
            0
        };
        while left > 0 {
            let threads = dice.of(&sizes).min(left);
            left -= threads;
            let l3 = match caches {
                0 => None,
                1 => Some(node),
                2 | 3 => Some(2 * node + dice.below(2) as usize),
                4 => Some(node / 2),
                _ => {
                    let some = dice.below(5) as usize;
                    dice.of(&[None, Some(node), Some(some)])
                }
            };
            cores.push(Core {
                node,
                l3,
                threads: vec![0; threads],
            });
        }
    }
    number(dice, &mut cores);
    cores
}

/// Siblings beside each other, or all first threads first.
fn number(dice: &mut Dice, cores: &mut [Core]) {
    let mut next = 0;
    if dice.once_in(2) {
        for thread in cores.iter_mut().flat_map(|core| &mut core.threads) {
            *thread = next;
            next += 1 + u32::from(dice.once_in(8));
        }
        return;
    }
    for bit in 0..4 {
        for core in cores.iter_mut().filter(|core| core.threads.len() > bit) {
            core.threads[bit] = next;
            next += 1;
        }
    }
}

fn devices(dice: &mut Dice, nodes: usize) -> Vec<Device> {
    let count = dice.of(&[0, 0, 0, 1, 2, 3, 4, 5, 6]);
    let kinds = |kinds: &[&str]| kinds.iter().map(|k| (*k).to_owned()).collect::<Vec<_>>();
    let of = |position: u64, dice: &mut Dice| Device {
        address: format!("0000:{position:02x}:00.0"),
        kinds: dice.of(&[
            kinds(&["nic"]),
            kinds(&["nic"]),
            kinds(&["gpu"]),
            kinds(&["nic", "gpu"]),
            kinds(&[]),
        ]),
        node: if dice.once_in(4) {
            None
        } else {
            Some(dice.below(nodes as u64) as usize)
        },
        bridges: dice.of(&[vec![], vec![1], vec![2], vec![1, 3], vec![2, 3]]),
        group: dice.of(&[None, None, Some(position as u32), Some(1), Some(2)]),
    };
    (0..count).map(|position| of(position, dice)).collect()
}

fn stock(dice: &mut Dice, nodes: &[Node], cores: &[Core], devices: &[Device]) -> Stock {
    let kept = dice.of(&[4, 10, 1000]);
    let cpus: Vec<u32> = cores.iter().flat_map(|c| c.threads.clone()).collect();
    let cpus = cpus.into_iter().filter(|_| !dice.once_in(kept)).collect();
    let mut node_bytes = BTreeMap::new();
    let mut pages = BTreeMap::new();
    for node in nodes {
        if !dice.once_in(5) {
            node_bytes.insert(node.id, UNIT * dice.below(24) + dice.below(2));
        }
        for size in SIZES {
            if !dice.once_in(3) && node.kind != NodeKind::Barred {
                pages.insert((node.id, size), dice.below(6));
            }
        }
    }
    let sum: u64 = node_bytes.values().sum();
    let there = devices
        .iter()
        .filter(|_| !dice.once_in(8))
        .map(|d| d.address.clone());
    let devices = there.collect();
    Stock {
        cpus,
        bound: IdSet::new(),
        bytes: dice.of(&[None, Some(sum), Some(sum * 2 / 3), Some(40 * UNIT)]),
        node_bytes,
        pages,
        devices,
        cpu_ratio: dice.of(&[None, None, Some(1000), Some(1500), Some(4000)]),
        memory_percent: dice.of(&[None, None, None, Some(100), Some(150), Some(300)]),
    }
}

fn ask(dice: &mut Dice, world: &World, size: u32) -> Ask {
    let policy = match dice.below(8) {
        0 | 1 => Policy::Shared,
        2 | 3 => Policy::Dedicated(Threads::Any),
        4 => Policy::Dedicated(Threads::Prefer),
        5 | 6 => Policy::Dedicated(Threads::Require),
        _ => Policy::Dedicated(Threads::Isolate),
    };
    let mut ask = Ask {
        cpus: Cpus {
            count: 1 + dice.below(u64::from(size)) as u32,
            policy,
            set: None,
            l3: dice.of(&[L3::Any, L3::Prefer, L3::Prefer, L3::Require, L3::Alone]),
        },
        memory: memory(dice, world),
        numa: Numa::Auto,
        helpers: dice.of(&[0, 0, 0, 1, 2]),
        devices: wanted(dice),
        serves: Vec::new(),
    };
    match dice.below(6) {
        0 => ask.numa = Numa::Nodes((1 + dice.below(3) as u32).min(ask.cpus.count)),
        1 | 2 => cells(dice, &mut ask),
        3 if dice.once_in(2) => name(dice, world, &mut ask),
        _ => {}
    }
    ask
}

fn memory(dice: &mut Dice, world: &World) -> Memory {
    let nodes = world.nodes.iter().filter(|_| dice.once_in(2)).map(|n| n.id);
    let nodes: IdSet = nodes.collect();
    let [small, large] = SIZES;
    Memory {
        bytes: UNIT * (1 + dice.below(20)) + dice.of(&[0, 0, 0, 1]),
        overhead_bytes: dice.of(&[0, 0, 1, UNIT, 3 * UNIT]),
        page_sizes: dice.of(&[
            vec![],
            vec![],
            vec![],
            vec![small],
            vec![large],
            vec![large, small],
            vec![small, 0],
            vec![0, small],
            vec![large, small, 0],
            vec![3 * UNIT, 0],
        ]),
        nodes: if nodes.is_empty() || dice.once_in(2) || dice.once_in(2) {
            None
        } else {
            Some(nodes)
        },
    }
}

fn wanted(dice: &mut Dice) -> Vec<Devices> {
    let count = dice.of(&[0, 0, 0, 1, 1, 2]);
    let of = |dice: &mut Dice| Devices {
        kind: dice.of(&["nic", "nic", "gpu"]).to_owned(),
        count: dice.of(&[0, 1, 1, 1, 2, 3]),
        near: dice.of(&[
            Near::Host,
            Near::Socket,
            Near::Node,
            Near::Node,
            Near::Switch,
        ]),
        strict: dice.once_in(2),
    };
    (0..count).map(|_| of(dice)).collect()
}

/// Cells of their own, uneven.
fn cells(dice: &mut Dice, ask: &mut Ask) {
    let count = 1 + dice.below(u64::from(ask.cpus.count.min(4)));
    let most = u64::from(ask.cpus.count) * 2 / count;
    let of = |dice: &mut Dice| Cell {
        cpus: 1 + dice.below(most) as u32,
        bytes: UNIT * (1 + dice.below(12)),
        page_sizes: match dice.below(5) {
            0 => vec![SIZES[0]],
            1 => vec![0, SIZES[0]],
            2 => vec![SIZES[1], SIZES[0]],
            _ => Vec::new(),
        },
    };
    let cells: Vec<Cell> = (0..count).map(|_| of(dice)).collect();
    ask.cpus.count = cells.iter().map(|c| c.cpus).sum();
    ask.memory.bytes = cells.iter().map(|c| c.bytes).sum();
    ask.numa = Numa::Cells(cells);
}

/// CPUs by name, which may not be free.
fn name(dice: &mut Dice, world: &World, ask: &mut Ask) {
    let all = world.cores.iter().flat_map(|core| &core.threads);
    let node = dice.below(4) as usize;
    let near = world
        .cores
        .iter()
        .filter(|core| core.node == node)
        .flat_map(|c| &c.threads);
    let from: Vec<u32> = if dice.once_in(2) {
        all.copied().collect()
    } else {
        near.copied().collect()
    };
    let set: IdSet = from.into_iter().filter(|_| dice.once_in(3)).collect();
    if set.is_empty() {
        return;
    }
    ask.cpus.count = set.len() as u32;
    ask.cpus.set = Some(set);
    ask.helpers = 0;
}
