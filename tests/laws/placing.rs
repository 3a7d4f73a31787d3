//! Random worlds of two hosts and a few workloads.

use std::collections::BTreeMap;

use infra::placing::Placed;
use infra_api::{Address, IdSet, Placement, Runtime, Threads};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::checker::{Stand, check_placed};
use crate::oracle::possible;
use crate::world::{Ask, HostSpec, NodeSpec, World};

fn node() -> impl Strategy<Value = NodeSpec> {
    (prop::collection::vec(1..=2u32, 0..=3), 2..12u64, 0..4u64).prop_map(
        |(cores, memory, pages)| NodeSpec {
            cores,
            memory,
            pages,
        },
    )
}

/// A mask with few bits.
fn few() -> impl Strategy<Value = u32> {
    (any::<u8>(), any::<u8>(), any::<u8>())
        .prop_map(|(a, b, c)| u32::from(a & b & c & a.rotate_left(3)))
}

fn host() -> impl Strategy<Value = HostSpec> {
    let nodes = prop::collection::vec(node(), 1..=2);
    (nodes, few(), few(), few(), few(), 0..2u64).prop_map(
        |(nodes, reserved, barred, foreign, bound, foreign_memory)| {
            let mut host = HostSpec {
                nodes,
                foreign_memory,
                ..HostSpec::default()
            };
            let cpus = host.cpus();
            host.reserved = reserved & cpus;
            host.barred = barred & cpus;
            host.foreign = foreign & cpus;
            host.bound = bound & cpus;
            host
        },
    )
}

fn threads() -> impl Strategy<Value = Threads> {
    prop_oneof![
        Just(Threads::Any),
        Just(Threads::Prefer),
        Just(Threads::Require),
        Just(Threads::Isolate)
    ]
}

/// One ask in six names its CPUs, one in six its host, one in four nodes.
fn ask() -> impl Strategy<Value = Ask> {
    let cpus = (
        any::<bool>(),
        threads(),
        1..=3u32,
        prop::option::weighted(0.16, 1..16u32),
    );
    let memory = (
        0..6u64,
        prop::option::weighted(0.25, 1..4u32),
        any::<bool>(),
    );
    (
        any::<bool>(),
        prop::option::weighted(0.16, 0..2usize),
        cpus,
        memory,
    )
        .prop_map(
            |(machine, host, (dedicated, threads, count, set), (memory, nodes, paged))| Ask {
                number: 0,
                machine,
                host,
                dedicated,
                threads,
                count: set.filter(|_| dedicated).map_or(count, u32::count_ones),
                set,
                memory,
                nodes,
                paged: paged && machine,
            },
        )
}

fn worlds(asks: usize) -> impl Strategy<Value = World> {
    let hosts = prop::collection::vec(host(), 1..=2);
    (hosts, prop::collection::vec(ask(), 1..=asks)).prop_map(|(hosts, mut asks)| {
        for (number, ask) in asks.iter_mut().enumerate() {
            ask.number = number;
            ask.host = ask.host.map(|h| h % hosts.len());
        }
        World { hosts, asks }
    })
}

type Placements = BTreeMap<Address, Placement>;

/// What is a move when it changes: not what a workload shares, which grows and shrinks with the others.
fn seat(placement: &Placement) -> (Runtime, String, IdSet, IdSet) {
    let own: IdSet = placement
        .cells
        .iter()
        .flat_map(|c| &c.vcpus)
        .filter_map(|v| v.cpu)
        .collect();
    let host = placement.host.to_string();
    (placement.runtime, host, own, placement.nodes())
}

fn moved<'a>(before: &'a Placements, after: &Placed) -> Option<&'a Address> {
    let stays = |(address, p): &(&Address, &Placement)| {
        after
            .placements
            .get(*address)
            .is_some_and(|q| seat(q) == seat(p))
    };
    before.iter().find(|entry| !stays(entry)).map(|(a, _)| a)
}

/// The world without its last workload, placed.
fn before_last(world: &World) -> (World, Placements) {
    let mut smaller = world.clone();
    smaller.asks.pop();
    let placements = smaller.place(&BTreeMap::new()).placements;
    smaller
        .asks
        .retain(|a| placements.contains_key(&a.address()));
    (smaller, placements)
}

fn text(placed: &Placed) -> String {
    let placements = serde_json::to_string(&placed.placements).unwrap();
    let refused = serde_json::to_string(&placed.refused).unwrap();
    let passed_over = (placed.passed_over.iter())
        .map(|(address, passed)| format!("{address} {:?}", passed.refusals()));
    let passed_over: String = passed_over.collect();
    format!("{placements}{refused}{passed_over}")
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 3000,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_placed_is_placed_soundly(world in worlds(5)) {
        let placed = world.place(&BTreeMap::new());
        prop_assert_eq!(check_placed(&world, &placed), Ok(()));
        let again = world.place(&placed.placements);
        prop_assert_eq!(check_placed(&world, &again), Ok(()));
    }

    /// With something else where each runs, or another ask than it was placed for.
    #[test]
    fn whatever_ran_before(world in worlds(4), other in worlds(4)) {
        let mut other = World { hosts: world.hosts.clone(), asks: other.asks };
        for ask in &mut other.asks {
            ask.host = ask.host.filter(|h| *h < world.hosts.len());
        }
        let prior = other.place(&BTreeMap::new()).placements;
        let placed = world.place(&prior);
        prop_assert_eq!(check_placed(&world, &placed), Ok(()));
    }

    /// One more workload: where there was a place for it beside the others it has one, and nobody moved; and where
    /// there was none somebody moved only if that gave it one.
    #[test]
    fn one_more_is_refused_only_where_it_must_be(world in worlds(4)) {
        let (smaller, prior) = before_last(&world);
        let mut all = smaller.clone();
        let last = world.asks.last().unwrap().clone();
        all.asks.push(last.clone());
        let standing: Vec<(&Ask, Stand)> = smaller
            .asks
            .iter()
            .map(|a| (a, Stand { cpus: own(a, &prior), ..Stand::of(&prior[&a.address()], &all) }))
            .collect();
        let placed = all.place(&prior);
        prop_assert_eq!(check_placed(&all, &placed), Ok(()));
        if possible(&all, &standing, &[&last]) {
            prop_assert!(placed.refused.is_empty(), "{:?}", placed.refused);
            prop_assert_eq!(moved(&prior, &placed), None);
        } else if moved(&prior, &placed).is_some() {
            prop_assert!(placed.refused.is_empty(), "moved for nothing: {:?}", placed.refused);
        }
    }

    #[test]
    fn what_is_placed_stays(world in worlds(5)) {
        let placed = world.place(&BTreeMap::new());
        let settled = World {
            asks: world.asks.iter().filter(|a| placed.placements.contains_key(&a.address())).cloned().collect(),
            ..world
        };
        prop_assert_eq!(moved(&placed.placements, &settled.place(&placed.placements)), None);
    }

    #[test]
    fn when_one_goes_nobody_else_moves(world in worlds(5), gone in 0..5usize) {
        let mut prior = world.place(&BTreeMap::new()).placements;
        let mut rest = world.clone();
        rest.asks.retain(|a| prior.contains_key(&a.address()));
        if rest.asks.is_empty() {
            return Ok(());
        }
        let gone = rest.asks.remove(gone % rest.asks.len());
        let with_pages = prior.clone();
        prior.remove(&gone.address());
        prop_assert_eq!(moved(&prior, &rest.place(&with_pages)), None);
    }

    #[test]
    fn the_order_of_the_inputs_changes_nothing(world in worlds(5), turn in 0..5usize) {
        let prior = before_last(&world).1;
        let placed = text(&world.place(&prior));
        let mut turned = world.clone();
        turned.asks.reverse();
        let turn = turn % turned.asks.len();
        turned.asks.rotate_left(turn);
        prop_assert_eq!(placed, text(&turned.place(&prior)));
    }

    /// An idle host beside the others is no reason to refuse one more workload.
    #[test]
    fn an_idle_host_takes_nothing_away(world in worlds(4), idle in host()) {
        let (smaller, prior) = before_last(&world);
        let mut all = smaller.clone();
        all.asks.push(world.asks.last().unwrap().clone());
        if !all.place(&prior).refused.is_empty() {
            return Ok(());
        }
        all.hosts.push(idle);
        prop_assert!(all.place(&prior).refused.is_empty());
    }
}

/// What it has to itself, or names.
fn own(ask: &Ask, placements: &Placements) -> u32 {
    let placement = &placements[&ask.address()];
    if ask.dedicated {
        crate::world::mask(&placement.cpus())
    } else {
        ask.set.unwrap_or(0)
    }
}

/// Several at once: so few are looked at together until nothing is left to try.
#[test]
fn several_at_once_are_refused_only_where_they_must_be() {
    let mut runner = TestRunner::deterministic();
    let (mut refused, mut wrongly, mut lost) = (0, 0, 0);
    for _ in 0..4000 {
        let mut world = worlds(3).new_tree(&mut runner).unwrap().current();
        let placed = world.place(&BTreeMap::new());
        let all: Vec<&Ask> = world.asks.iter().collect();
        if !placed.refused.is_empty() {
            refused += 1;
            wrongly += usize::from(possible(&world, &[], &all));
            continue;
        }
        let idle = host().new_tree(&mut runner).unwrap().current();
        world.hosts.insert(0, idle);
        for ask in &mut world.asks {
            ask.host = ask.host.map(|h| h + 1);
        }
        lost += usize::from(!world.place(&BTreeMap::new()).refused.is_empty());
    }
    assert!(refused > 1000 && refused < 3000, "{refused}");
    assert_eq!(wrongly, 0, "of {refused} refusals so many were avoidable");
    assert_eq!(lost, 0, "worlds that are refused because of an idle host");
}
