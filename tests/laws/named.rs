//! Placements that have a name.

use std::collections::BTreeMap;

use infra_api::{Address, IdSet, Placement};

use crate::checker::check_placed;
use crate::world::{Ask, HostSpec, NodeSpec, World};

fn host(cores: &[u32]) -> HostSpec {
    HostSpec {
        nodes: vec![NodeSpec {
            cores: cores.to_vec(),
            memory: 8,
            pages: 0,
        }],
        ..HostSpec::default()
    }
}

fn dedicated(number: usize, count: u32) -> Ask {
    Ask {
        number,
        dedicated: true,
        count,
        ..Ask::default()
    }
}

fn shared(number: usize) -> Ask {
    Ask {
        number,
        count: 1,
        ..Ask::default()
    }
}

fn naming(number: usize, set: u32) -> Ask {
    Ask {
        set: Some(set),
        ..dedicated(number, set.count_ones())
    }
}

type Placements = BTreeMap<Address, Placement>;

fn placed(world: &World, prior: &Placements) -> Placements {
    let placed = world.place(prior);
    assert_eq!(check_placed(world, &placed), Ok(()));
    assert!(placed.refused.is_empty(), "{:?}", placed.refused);
    placed.placements
}

fn seat(placements: &Placements, ask: &Ask) -> String {
    let placement = &placements[&ask.address()];
    format!("{} {}", placement.host, placement.cpus())
}

/// Who is named on a CPU gets it; who has it by chance moves aside; nobody else moves.
#[test]
fn a_named_cpu_moves_aside_who_has_it_by_chance() {
    let mut world = World {
        hosts: vec![host(&[1, 1, 1, 1])],
        asks: vec![dedicated(0, 1), dedicated(1, 1)],
    };
    let before = placed(&world, &BTreeMap::new());
    assert_eq!(seat(&before, &world.asks[0]), "h0 0");
    world.asks.push(naming(2, 0b1));
    let after = placed(&world, &before);
    assert_eq!(seat(&after, &world.asks[2]), "h0 0");
    assert_eq!(seat(&after, &world.asks[0]), "h0 2");
    assert_eq!(seat(&after, &world.asks[1]), "h0 1");
}

/// Where there is another host with that CPU nobody moves.
#[test]
fn a_named_cpu_is_taken_where_it_is_free() {
    let mut world = World {
        hosts: vec![host(&[1, 1]), host(&[1, 1])],
        asks: vec![dedicated(0, 1)],
    };
    let before = placed(&world, &BTreeMap::new());
    world.asks.push(naming(1, 0b1));
    let after = placed(&world, &before);
    assert_eq!(seat(&after, &world.asks[0]), "h0 0");
    assert_eq!(seat(&after, &world.asks[1]), "h1 0");
}

#[test]
fn two_that_swap_the_cpus_they_name_are_obeyed() {
    let mut world = World {
        hosts: vec![host(&[1, 1])],
        asks: vec![naming(0, 0b01), naming(1, 0b10)],
    };
    let before = placed(&world, &BTreeMap::new());
    world.asks = vec![naming(0, 0b10), naming(1, 0b01)];
    let after = placed(&world, &before);
    assert_eq!(seat(&after, &world.asks[0]), "h0 1");
    assert_eq!(seat(&after, &world.asks[1]), "h0 0");
}

/// A dedicated workload swaps its CPU with what another shares.
#[test]
fn a_pin_that_moves_swaps_with_those_who_share() {
    let mut world = World {
        hosts: vec![host(&[1, 1])],
        asks: vec![naming(0, 0b01), shared(1)],
    };
    let before = placed(&world, &BTreeMap::new());
    assert_eq!(seat(&before, &world.asks[1]), "h0 1");
    world.asks[0] = naming(0, 0b10);
    let after = placed(&world, &before);
    assert_eq!(seat(&after, &world.asks[1]), "h0 0");
}

/// Who shares is left a CPU: the one that wants all of them goes to another host.
#[test]
fn the_last_cpu_stays_with_those_who_share() {
    let mut world = World {
        hosts: vec![host(&[1, 1]), host(&[1, 1])],
        asks: vec![shared(0)],
    };
    let before = placed(&world, &BTreeMap::new());
    world.asks.push(dedicated(1, 2));
    let after = placed(&world, &before);
    assert_eq!(seat(&after, &world.asks[0]), "h0 0-1");
    assert_eq!(seat(&after, &world.asks[1]), "h1 0-1");
}

/// Cores of different sizes: a greedy hand takes the small one first and never gets to two.
#[test]
fn whole_cores_of_different_sizes_add_up() {
    let ask = Ask {
        threads: infra_api::Threads::Require,
        ..dedicated(0, 2)
    };
    let world = World {
        hosts: vec![host(&[1, 2])],
        asks: vec![ask],
    };
    let placements = placed(&world, &BTreeMap::new());
    assert_eq!(
        placements[&world.asks[0].address()].cpus(),
        IdSet::from([1, 2])
    );
}

/// What is bound to two nodes together leaves less to whoever is bound to one of them.
#[test]
fn nodes_that_are_bound_together_are_promised_once() {
    let node = NodeSpec {
        cores: vec![1],
        memory: 4,
        pages: 0,
    };
    let bound = |number, nodes, memory| Ask {
        nodes: Some(nodes),
        memory,
        ..shared(number)
    };
    let world = |last| World {
        hosts: vec![HostSpec {
            nodes: vec![node.clone(), node.clone(), node.clone()],
            ..HostSpec::default()
        }],
        asks: vec![bound(0, 0b011, 6), bound(1, 0b001, last)],
    };
    let fits = world(2);
    placed(&fits, &BTreeMap::new());
    let too_much = world(3);
    let answer = too_much.place(&BTreeMap::new());
    assert_eq!(check_placed(&too_much, &answer), Ok(()));
    assert_eq!(answer.refused.len(), 1);
}

/// What must move goes where nobody is, not where somebody stays.
#[test]
fn who_must_move_pushes_nobody_away() {
    let mut world = World {
        hosts: vec![host(&[1, 1, 1, 1])],
        asks: vec![dedicated(0, 1), dedicated(1, 1)],
    };
    let before = placed(&world, &BTreeMap::new());
    world.asks[0] = dedicated(0, 2);
    let after = placed(&world, &before);
    assert_eq!(seat(&after, &world.asks[1]), "h0 1");
    assert_eq!(seat(&after, &world.asks[0]), "h0 0,2");
}
