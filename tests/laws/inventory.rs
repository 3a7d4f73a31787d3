//! What may be planned on: hosts as found, less what each keeps and what others have.

use std::collections::BTreeMap;

use infra::declared::{Host, Reserve};
use infra::inventory::{HostInventory, Inventory};
use infra_api::facts::{Cpus, Facts, HugePages, Node, NodeKind, Used, UsedPages};
use infra_api::{HostName, IdSet, Project};

use crate::world::at;

fn node(id: u32, kind: NodeKind, memory: u64) -> Node {
    Node {
        id,
        kind,
        cpus: IdSet::new(),
        memory_bytes: Some(memory),
        ..Node::default()
    }
}

fn pool(total: u64, free: u64) -> HugePages {
    HugePages {
        size_bytes: 2,
        total: Some(total),
        free: Some(free),
        ..HugePages::default()
    }
}

fn used(project: Option<&str>, count: u64) -> Used {
    Used {
        project: project.map(str::to_owned),
        hugepages: vec![UsedPages {
            node: Some(0),
            size_bytes: 2,
            count,
        }],
        ..Used::default()
    }
}

fn inventory(facts: Facts, reserve: Option<Reserve>) -> HostInventory {
    let name = HostName::new("h");
    let host = Host {
        name: name.clone(),
        reserve,
        ..Host::local()
    };
    let hosts = BTreeMap::from([(name.clone(), host)]);
    let facts = BTreeMap::from([(name.clone(), facts)]);
    let (mut inventory, _) = Inventory::new(&hosts, facts, &Project::new("p"));
    inventory.hosts.remove(&name).unwrap()
}

#[test]
fn memory_is_given_where_it_may_be_used() {
    let facts = Facts {
        nodes: vec![
            node(0, NodeKind::Normal, 100),
            node(1, NodeKind::MemoryOnly, 100),
            node(2, NodeKind::Device, 100),
            node(3, NodeKind::Normal, 100),
        ],
        allowed_nodes: Some(IdSet::from([0, 1, 2])),
        ..Facts::default()
    };
    let host = inventory(facts, None);
    assert_eq!(host.memory_nodes, IdSet::from([0, 1]));
    assert_eq!(host.memory_bytes, None);
}

/// A node of unknown size may be named: unknown is not none.
#[test]
fn a_node_that_does_not_tell_may_be_used() {
    let silent = Node {
        memory_bytes: None,
        ..node(0, NodeKind::Normal, 0)
    };
    let facts = Facts {
        nodes: vec![silent],
        ..Facts::default()
    };
    let host = inventory(facts, None);
    assert_eq!(host.memory_nodes, IdSet::from([0]));
    assert!(host.node_memory_bytes.is_empty());
}

#[test]
fn what_the_host_and_others_have_is_gone() {
    let stranger = Used {
        memory_bytes: Some(7),
        memory_nodes: Some(IdSet::from([1])),
        ..Used::default()
    };
    let mut first = node(0, NodeKind::Normal, 100);
    first.hugepages = vec![pool(10, 10)];
    let facts = Facts {
        memory_bytes: Some(200),
        nodes: vec![first, node(1, NodeKind::Normal, 100)],
        hugepages: vec![pool(10, 10)],
        used: vec![stranger],
        ..Facts::default()
    };
    let reserve = Reserve {
        memory_bytes: 50,
        memory_per_node_bytes: 5,
        ..Reserve::default()
    };
    let host = inventory(facts, Some(reserve));
    assert_eq!(host.memory_bytes, Some(200 - 20 - 7 - 50 - 2 * 5));
    let nodes = BTreeMap::from([(0, 100 - 20 - 5), (1, 100 - 7 - 5)]);
    assert_eq!(host.node_memory_bytes, nodes);
}

/// Our own machines ask for their pages again; nobody gets pages that are not there.
#[test]
fn pages_are_those_that_are_free_and_our_own() {
    let pages = |pool: HugePages, users: Vec<Used>| {
        let mut node = node(0, NodeKind::Normal, 100);
        node.hugepages = vec![pool];
        let facts = Facts {
            nodes: vec![node],
            used: users,
            ..Facts::default()
        };
        inventory(facts, None).pages[&(0, 2)]
    };
    assert_eq!(pages(pool(10, 4), vec![used(Some("p"), 3)]), 7);
    assert_eq!(pages(pool(10, 4), vec![used(None, 6)]), 4);
    // It is listed and does not run: its pages are among the free ones.
    assert_eq!(pages(pool(10, 10), vec![used(Some("p"), 3)]), 10);
    assert_eq!(
        pages(pool(10, 4), vec![used(Some("p"), 9), used(Some("q"), 2)]),
        8
    );
}

#[test]
fn a_small_host_keeps_nothing_and_a_larger_one_its_first_core() {
    let kept = |online: IdSet| {
        let cpus = Cpus {
            online,
            ..Cpus::default()
        };
        inventory(
            Facts {
                cpus,
                ..Facts::default()
            },
            None,
        )
    };
    assert_eq!(kept(IdSet::from([0, 1])).cpus, IdSet::from([0, 1]));
    assert_eq!(kept(IdSet::from([0, 1, 2])).cpus, IdSet::from([1, 2]));
}

#[test]
fn a_reserve_the_host_lacks_is_an_error() {
    let name = HostName::new("h");
    let reserve = Reserve {
        cpus: Some(at(IdSet::from([9]))),
        ..Reserve::default()
    };
    let host = Host {
        reserve: Some(reserve),
        ..Host::local()
    };
    let hosts = BTreeMap::from([(name.clone(), host)]);
    let facts = BTreeMap::from([(name, Facts::default())]);
    let (_, diagnostics) = Inventory::new(&hosts, facts, &Project::new("p"));
    assert_eq!(diagnostics.iter().count(), 1);
}
