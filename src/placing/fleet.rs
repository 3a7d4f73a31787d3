//! Hosts as placing sees them.

use std::collections::BTreeMap;
use std::sync::Arc;

use infra_api::HostName;
use infra_api::facts::{Cpu, Facts, Node, NodeKind};
use infra_place::{Core, Device, Host, Room, Stock, Topology};

use super::affinity::Scopes;
use super::devices::Wanted;
use super::served::Served;
use crate::inventory::{HostInventory, Inventory};

/// All hosts, in the order of their names; machines that are alike share what they are.
pub(super) fn hosts(
    inventory: &Inventory,
    scopes: &Scopes,
    (wanted, served): (&Wanted, &Served),
) -> Vec<Host> {
    let mut known: Vec<Arc<Topology>> = Vec::new();
    let host = |(name, host): (&HostName, &HostInventory)| {
        let (devices, free) = wanted.of(host);
        let topology = topology(host, devices).serving(served.of(name));
        let alike = known.iter().find(|t| ***t == topology).cloned();
        let topology = alike.unwrap_or_else(|| {
            known.push(Arc::new(topology));
            Arc::clone(&known[known.len() - 1])
        });
        Host {
            name: name.clone(),
            room: Room::new(&topology, &stock(host, free)),
            topology,
            domains: scopes.domains(host),
            drained: host.declared.drain,
        }
    };
    inventory.hosts.iter().map(host).collect()
}

fn topology(host: &HostInventory, devices: Vec<Device>) -> Topology {
    let facts = &host.facts;
    let ids: Vec<u32> = facts.nodes.iter().map(|n| n.id).collect();
    let nodes = facts.nodes.iter().map(|node| infra_place::Node {
        id: node.id,
        kind: kind(node, host),
        distances: ids
            .iter()
            .map(|id| node.distances.get(id).copied().unwrap_or(0))
            .collect(),
        package: node.cpus.first().and_then(|cpu| facts.cpu(cpu)?.package),
    });
    let mut nodes: Vec<infra_place::Node> = nodes.collect();
    if nodes.is_empty() {
        // A host that tells of no node is one, whose memory is not known.
        nodes.push(infra_place::Node::default());
    }
    let sizes = host.pages.keys().map(|(_, size)| *size).collect();
    Topology::new(nodes, cores(facts), devices, sizes)
}

fn kind(node: &Node, host: &HostInventory) -> infra_place::NodeKind {
    match node.kind {
        _ if !host.memory_nodes.contains(node.id) => infra_place::NodeKind::Barred,
        NodeKind::Normal => infra_place::NodeKind::Whole,
        NodeKind::MemoryOnly => infra_place::NodeKind::Memory,
        NodeKind::CpuOnly | NodeKind::Device | NodeKind::Empty => infra_place::NodeKind::Barred,
    }
}

/// Cores by their lowest CPUs. A CPU that no node names is of the first.
fn cores(facts: &Facts) -> Vec<Core> {
    let positions: BTreeMap<u32, usize> = facts.nodes.iter().map(|n| n.id).zip(0..).collect();
    let mut l3s: BTreeMap<u32, usize> = BTreeMap::new();
    for l3 in facts.cpus.list.iter().filter_map(|cpu| cpu.l3) {
        let next = l3s.len();
        l3s.entry(l3).or_insert(next);
    }
    let first = |cpu: &&Cpu| cpu.siblings.first().is_none_or(|first| first == cpu.id);
    let node_of = |cpu: &Cpu| {
        let listed = facts
            .nodes
            .iter()
            .find(|n| n.cpus.contains(cpu.id))
            .map(|n| n.id);
        let node = cpu.node.or(listed);
        node.and_then(|id| positions.get(&id).copied()).unwrap_or(0)
    };
    let core = |cpu: &Cpu| Core {
        node: node_of(cpu),
        l3: cpu.l3.and_then(|l3| l3s.get(&l3).copied()),
        threads: if cpu.siblings.is_empty() {
            vec![cpu.id]
        } else {
            cpu.siblings.iter().collect()
        },
    };
    facts.cpus.list.iter().filter(first).map(core).collect()
}

/// `devices`: those that could be had.
fn stock(host: &HostInventory, devices: Vec<String>) -> Stock {
    Stock {
        cpus: host.cpus.clone(),
        bound: host.bound_cpus.clone(),
        bytes: host.memory_bytes,
        node_bytes: host.node_memory_bytes.clone(),
        pages: host.pages.clone(),
        devices,
        cpu_ratio: host.declared.shared_per_cpu.map(|n| n.saturating_mul(1000)),
        memory_percent: host.declared.memory_percent,
    }
}
