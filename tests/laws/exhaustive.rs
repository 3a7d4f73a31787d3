//! All machines of up to four CPUs, and every ask of them.

use infra_api::Threads;
use std::collections::BTreeMap;

use crate::checker::check_placed;
use crate::oracle::possible;
use crate::world::{Ask, HostSpec, NodeSpec, World};

const THREADS: [Threads; 4] = [
    Threads::Any,
    Threads::Prefer,
    Threads::Require,
    Threads::Isolate,
];

/// Every way to write `cpus` as cores of one, two or three threads.
fn cores(cpus: u32) -> Vec<Vec<u32>> {
    if cpus == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for threads in 1..=cpus.min(3) {
        for mut rest in cores(cpus - threads) {
            rest.insert(0, threads);
            all.push(rest);
        }
    }
    all
}

/// Machines of one node, and of two wherever the cores can be parted.
fn machines(cpus: u32) -> Vec<HostSpec> {
    let node = |cores: &[u32]| NodeSpec {
        cores: cores.to_vec(),
        memory: 4,
        pages: 0,
    };
    let mut all = Vec::new();
    for cores in cores(cpus) {
        for cut in 1..=cores.len() {
            let (first, second) = cores.split_at(cut);
            let parts = [first, second].into_iter().filter(|p| !p.is_empty());
            all.push(HostSpec {
                nodes: parts.map(node).collect(),
                ..HostSpec::default()
            });
        }
    }
    all
}

fn asks(cpus: u32) -> Vec<Ask> {
    let shared = Ask {
        count: 1,
        ..Ask::default()
    };
    let dedicated = |count: u32| {
        THREADS.into_iter().map(move |threads| Ask {
            dedicated: true,
            threads,
            count,
            ..Ask::default()
        })
    };
    let mut all: Vec<Ask> = (1..=cpus).flat_map(dedicated).collect();
    all.push(shared);
    all
}

fn world(host: &HostSpec, reserved: u32, asks: &[&Ask]) -> World {
    let numbered = |(number, ask): (usize, &&Ask)| Ask {
        number,
        ..(*ask).clone()
    };
    World {
        hosts: vec![HostSpec {
            reserved,
            ..host.clone()
        }],
        asks: asks.iter().enumerate().map(numbered).collect(),
    }
}

#[test]
fn one_ask_of_every_machine_is_refused_only_where_it_must_be() {
    let mut worlds = 0;
    for host in (1..=4).flat_map(machines) {
        for reserved in 0..=host.cpus() {
            for ask in asks(host.cpus().count_ones() + 1) {
                let world = world(&host, reserved, &[&ask]);
                let placed = world.place(&BTreeMap::new());
                assert_eq!(check_placed(&world, &placed), Ok(()), "{world:#?}");
                let possible = possible(&world, &[], &[&world.asks[0]]);
                assert_eq!(placed.refused.is_empty(), possible, "{world:#?}");
                worlds += 1;
            }
        }
    }
    assert!(worlds > 7_000, "{worlds}");
}

#[test]
fn two_asks_of_every_machine_are_placed_soundly() {
    for host in (1..=4).flat_map(machines) {
        let asks = asks(host.cpus().count_ones());
        for one in &asks {
            for other in &asks {
                let world = world(&host, 0, &[one, other]);
                let placed = world.place(&BTreeMap::new());
                assert_eq!(check_placed(&world, &placed), Ok(()), "{world:#?}");
            }
        }
    }
}
