//! Places that were once missed, or that were none.

use infra_place::{
    Ask, Cell, Constraint, Cpus, Device, Devices, L3, Memory, Near, Numa, Policy, Threads, View,
    fit,
};

use crate::exhaustive::machine;
use crate::laws::judge;
use crate::world::World;

const PAGE: u64 = 2 << 20;

/// Two nodes of two CPUs each, everything free and plenty of memory.
fn two() -> World {
    let mut world = machine(&[&[1, 1], &[1, 1]], |node, _| Some(node));
    world.page_sizes = vec![PAGE];
    world.stock.cpus = [0, 1, 2, 3].into();
    world.stock.node_bytes = [(0, 100 * PAGE), (1, 100 * PAGE)].into();
    world.ask = dedicated(1);
    world
}

fn dedicated(count: u32) -> Ask {
    Ask {
        cpus: Cpus {
            count,
            ..Cpus::default()
        },
        memory: Memory {
            bytes: PAGE,
            ..Memory::default()
        },
        ..Ask::default()
    }
}

fn shared(count: u32) -> Ask {
    let mut ask = dedicated(count);
    ask.cpus.policy = Policy::Shared;
    ask
}

/// The place, once the oracle has agreed.
fn placed(world: &World) -> Result<View, Constraint> {
    if let Err(why) = judge(world) {
        panic!("{why}");
    }
    let topology = world.topology();
    let (room, _) = world.rooms(&topology, |_, _, _| ());
    fit(&topology, &room, &world.ask).map(|found| found.view(&topology))
}

#[test]
fn ordinary_memory_that_is_on_each_node_and_not_on_the_host_gives_way_to_pages() {
    let mut world = two();
    world.stock.bytes = Some(PAGE);
    world.stock.pages = [((0, PAGE), 1), ((1, PAGE), 1)].into();
    let cell = Cell {
        cpus: 1,
        bytes: PAGE,
        page_sizes: vec![0, PAGE],
    };
    world.ask = dedicated(2);
    world.ask.memory.bytes = 2 * PAGE;
    world.ask.numa = Numa::Cells(vec![cell.clone(), cell]);
    let place = placed(&world).expect("one in ordinary memory, one in a page");
    assert_eq!(place.pages.len(), 1);
}

#[test]
fn memory_of_a_named_node_does_not_bind_the_cpus() {
    let mut world = two();
    world.stock.cpus = [0, 2, 3].into();
    world.ask = dedicated(2);
    world.ask.memory.nodes = Some([0].into());
    let place = placed(&world).expect("CPUs of the other node");
    assert_eq!(place.cells[0].cpus, [2, 3].into());
    assert_eq!(place.memory, [([0].into(), PAGE)]);
}

#[test]
fn helpers_are_on_the_node_of_the_first_cell() {
    let mut world = two();
    world.stock.cpus = [0, 2, 3].into();
    world.ask = dedicated(2);
    world.ask.memory.bytes = 2 * PAGE;
    world.ask.helpers = 1;
    let place = placed(&world).expect("one CPU on each node, the helper on the second");
    assert_eq!(place.cells[0].node, Some(1));
}

#[test]
fn each_of_several_nodes_has_a_part_of_the_memory() {
    let mut world = machine(&[&[1, 1], &[1, 1], &[1]], |node, _| Some(node));
    world.stock.cpus = [0, 1, 2, 3, 4].into();
    world.stock.node_bytes = [(0, 12), (1, 12), (2, 0)].into();
    // It is bound to two nodes, and only one of them has any.
    let mut before = shared(1);
    before.memory.bytes = 10;
    before.memory.nodes = Some([1, 2].into());
    world.earlier = vec![before];
    world.ask = dedicated(3);
    world.ask.memory.bytes = 12;
    let place = placed(&world).expect("most of it on node 0, the rest on node 1");
    assert!(place.cells.len() == 2 && place.cells.iter().all(|cell| cell.bytes > 0));
}

#[test]
fn who_asks_for_huge_pages_alone_gets_no_others() {
    let mut world = two();
    world.ask = shared(1);
    world.ask.memory.page_sizes = vec![PAGE];
    assert!(placed(&world).is_err());
    // Where the pages are no CPU is free: the CPUs are elsewhere.
    world.stock.pages = [((1, PAGE), 1)].into();
    world.stock.cpus = [0].into();
    let place = placed(&world).expect("the page of node 1");
    assert_eq!(place.pages, [(1, PAGE, 1)]);
}

#[test]
fn who_shares_and_must_be_near_a_device_is() {
    let mut world = two();
    world.devices = vec![Device {
        address: "0000:01:00.0".to_owned(),
        kinds: vec!["nic".to_owned()],
        node: Some(1),
        ..Device::default()
    }];
    world.stock.devices = vec!["0000:01:00.0".to_owned()];
    world.ask = shared(1);
    world.ask.devices = vec![Devices {
        kind: "nic".to_owned(),
        count: 1,
        near: Near::Node,
        strict: true,
    }];
    let near = placed(&world).expect("on node 1");
    assert_eq!(near.cells[0].node, Some(1));
    world.stock.cpus = [0, 1].into();
    assert!(placed(&world).is_err(), "no CPU is near");
}

#[test]
fn named_cpus_have_memory_near_before_pages_afar() {
    let mut world = two();
    world.stock.pages = [((1, PAGE), 1)].into();
    world.ask.cpus.set = Some([0].into());
    world.ask.memory.page_sizes = vec![PAGE, 0];
    let place = placed(&world).expect("ordinary memory of node 0");
    assert_eq!(place.memory, [([0].into(), PAGE)]);
}

#[test]
fn named_cpus_are_of_one_domain_if_they_must_be() {
    let mut world = two();
    world.ask = dedicated(2);
    world.ask.cpus.l3 = L3::Require;
    world.ask.cpus.set = Some([1, 2].into());
    assert!(matches!(placed(&world), Err(Constraint::NamedCpus { .. })));
    world.ask.cpus.set = Some([0].into());
    world.ask.cpus.count = 1;
    world.ask.cpus.l3 = L3::Alone;
    let place = placed(&world).expect("the domain is free");
    assert_eq!(place.taken, [0, 1].into());
}

#[test]
fn who_shares_on_a_node_keeps_a_cpu_of_it() {
    let mut world = two();
    let mut before = shared(1);
    before.numa = Numa::Nodes(1);
    before.memory.nodes = Some([1].into());
    world.earlier = vec![before];
    world.ask = dedicated(2);
    world.ask.cpus.set = Some([2, 3].into());
    world.ask.memory.nodes = Some([0].into());
    assert!(placed(&world).is_err());
}

#[test]
fn an_l3_nobody_tells_of_is_one_domain_too() {
    let mut world = machine(&[&[2, 1]], |_, position| (position > 0).then_some(0));
    world.stock.cpus = [0, 1, 2].into();
    world.ask = Ask {
        cpus: Cpus {
            count: 1,
            policy: Policy::Dedicated(Threads::Any),
            ..Cpus::default()
        },
        ..Ask::default()
    };
    assert!(placed(&world).is_ok());
}

#[test]
fn a_refusal_of_whole_cores_tells_what_they_add_up_to() {
    let mut world = machine(&[&[2, 2]], |_, _| None);
    world.stock.cpus = [0, 1, 2, 3].into();
    world.ask = dedicated(3);
    world.ask.cpus.policy = Policy::Dedicated(Threads::Require);
    let why = placed(&world).expect_err("three are no whole cores");
    let of_three = |why: &Constraint| {
        matches!(
            why,
            Constraint::DedicatedCpus {
                need: 3,
                have: 2,
                ..
            }
        )
    };
    assert!(of_three(&why), "{why:?}");
}

#[test]
fn of_no_devices_none_are_below_one_bridge() {
    let mut world = two();
    world.devices = vec![Device {
        address: "0000:01:00.0".to_owned(),
        kinds: vec!["nic".to_owned()],
        ..Device::default()
    }];
    world.stock.devices = vec!["0000:01:00.0".to_owned()];
    let nics = |count: u32, near: Near, strict: bool| Devices {
        kind: "nic".to_owned(),
        count,
        near,
        strict,
    };
    world.ask.devices = vec![nics(1, Near::Host, false), nics(0, Near::Switch, true)];
    assert!(placed(&world).is_ok());
}

#[test]
fn idle_threads_are_not_those_that_sharers_keep() {
    // Isolated on two nodes; on the second somebody shares.
    let mut world = machine(&[&[2, 2], &[2, 2]], |node, _| Some(node));
    world.stock.cpus = [0, 1, 2, 3, 4, 5, 6, 7].into();
    let mut before = shared(1);
    before.numa = Numa::Nodes(1);
    before.memory.nodes = Some([1].into());
    world.earlier = vec![before];
    world.ask = dedicated(3);
    world.ask.cpus.policy = Policy::Dedicated(Threads::Isolate);
    world.ask.memory.bytes = 3;
    assert!(placed(&world).is_ok());
}

/// A disk on node 1 of two, which is served by the threads of who asks.
fn with_disk(mut world: World) -> World {
    world.served = vec![("disk a".to_owned(), 1)];
    world.ask.serves = vec!["disk a".to_owned()];
    world
}

#[test]
fn who_serves_a_disk_is_on_its_node() {
    let mut world = with_disk(two());
    let place = placed(&world).expect("on node 1");
    assert_eq!(place.cells[0].node, Some(1));
    // Nothing is known of another, and what is known of it is no condition.
    world.ask.serves = vec!["disk b".to_owned()];
    assert_eq!(placed(&world).expect("a place").cells[0].node, Some(0));
    world.ask.serves = vec!["disk a".to_owned()];
    world.stock.cpus = [0, 1].into();
    assert_eq!(placed(&world).expect("a place").cells[0].node, Some(0));
}

#[test]
fn helpers_are_on_the_node_of_what_they_serve() {
    // Even parts leave the helper on node 0, where the disk is not.
    let mut world = machine(&[&[1, 1, 1], &[1, 1]], |node, _| Some(node));
    world.stock.cpus = [0, 1, 2, 3, 4].into();
    world.stock.node_bytes = [(0, 100 * PAGE), (1, 100 * PAGE)].into();
    world.ask = dedicated(4);
    world.ask.helpers = 1;
    assert_eq!(placed(&world).expect("a place").helpers, [2].into());
    let place = placed(&with_disk(world)).expect("a place");
    assert_eq!((place.cells[0].node, place.helpers), (Some(1), [4].into()));
}

#[test]
fn the_first_of_several_cells_is_the_one_that_serves() {
    let mut world = two();
    let cell = Cell {
        cpus: 1,
        bytes: PAGE,
        page_sizes: Vec::new(),
    };
    world.ask = dedicated(2);
    world.ask.memory.bytes = 2 * PAGE;
    world.ask.numa = Numa::Cells(vec![cell.clone(), cell]);
    world.ask.helpers = 1;
    let first = |world: &World| placed(world).expect("a place").cells[0].node;
    assert_eq!(first(&world), Some(0));
    assert_eq!(first(&with_disk(world)), Some(1));
}
