//! What the memory of nodes is made of: tiers, speeds, and where memory that was added comes from.

use std::collections::BTreeMap;

use infra_api::IdSet;
use infra_api::facts::{MemoryKind, Node, NodeKind};

use crate::nodes::NODE;
use crate::reader::Reader;

/// Fills in what is known of each node's memory.
pub(crate) fn read(reader: &Reader<'_>, nodes: &mut [Node]) {
    let added = added(reader);
    let tiers = tiers(reader);
    for node in &mut *nodes {
        node.memory_kind = added.get(&node.id).copied();
        node.memory_tier = tiers
            .iter()
            .find(|(_, nodes)| nodes.contains(node.id))
            .map(|(tier, _)| *tier);
        access(reader, node);
    }
    compare(nodes);
}

/// Memory that is no ordinary memory until a driver (`kmem`) makes it so, by the node it became:
/// the device it belongs to tells what it is.
fn added(reader: &Reader<'_>) -> BTreeMap<u32, MemoryKind> {
    let drivers = "sys/bus/dax/drivers/kmem";
    let devices = reader.names(drivers);
    let of = |name: &String| {
        let device = format!("sys/bus/dax/devices/{name}");
        // Other names in the driver's directory are its own files.
        let place = reader.link(&device)?;
        Some((reader.id(&format!("{device}/target_node"))?, kind(&place)?))
    };
    devices.iter().filter_map(of).collect()
}

/// By the path of a device: an NVDIMM region (also one behind CXL), a CXL region, or memory the
/// firmware set apart.
fn kind(place: &str) -> Option<MemoryKind> {
    let kinds = [
        ("/ndbus", MemoryKind::Persistent),
        ("/ACPI0017", MemoryKind::Cxl),
        ("/cxl", MemoryKind::Cxl),
        ("/hmem", MemoryKind::SpecialPurpose),
    ];
    let known = kinds.iter().find(|(part, _)| place.contains(part));
    known.map(|(_, kind)| *kind)
}

fn tiers(reader: &Reader<'_>) -> Vec<(u32, IdSet)> {
    let directory = "sys/devices/virtual/memory_tiering";
    let tiers = reader.ids(directory, "memory_tier");
    let nodes = |tier: u32| {
        let file = format!("{directory}/memory_tier{tier}/nodelist");
        Some((tier, reader.list(&file)?))
    };
    tiers.iter().filter_map(nodes).collect()
}

/// Who reaches the memory fastest, and how fast. The second class is of CPUs only, the first may
/// be of a device.
fn access(reader: &Reader<'_>, node: &mut Node) {
    let class = |class: u32| format!("{NODE}/node{}/access{class}/initiators", node.id);
    let told = [class(1), class(0)]
        .into_iter()
        .map(|directory| (reader.ids(&directory, "node"), directory))
        .find(|(initiators, _)| !initiators.is_empty());
    let Some((initiators, directory)) = told else {
        return;
    };
    // Firmware that does not know writes 0.
    let number = |file: &str| reader.number(&format!("{directory}/{file}"));
    let known = |file: &str| number(file).filter(|number| *number > 0);
    node.read_bandwidth_mb_s = known("read_bandwidth");
    node.read_latency_ns = known("read_latency");
    node.initiators = Some(initiators);
}

/// What comparing nodes tells: memory more than twice as fast as the main one is high-bandwidth
/// memory; of another tier than that, it is at least no main memory.
fn compare(nodes: &mut [Node]) {
    let main = |node: &&Node| node.memory_kind.is_none() && node.kind == NodeKind::Normal;
    let speed = nodes
        .iter()
        .filter(main)
        .filter_map(|node| node.read_bandwidth_mb_s)
        .max();
    let tiers: IdSet = nodes
        .iter()
        .filter(main)
        .filter_map(|node| node.memory_tier)
        .collect();
    for node in &mut *nodes {
        let own = node.memory_kind.is_none();
        let faster = speed
            .zip(node.read_bandwidth_mb_s)
            .is_some_and(|(main, own)| own > main.saturating_mul(2));
        let other = node
            .memory_tier
            .is_some_and(|tier| !tiers.is_empty() && !tiers.contains(tier));
        let beside = node.kind == NodeKind::MemoryOnly && own;
        let set_apart = node.memory_kind == Some(MemoryKind::SpecialPurpose);
        if faster && (beside || set_apart) {
            node.memory_kind = Some(MemoryKind::Hbm);
        } else if other && beside {
            node.memory_kind = Some(MemoryKind::OtherTier);
        }
    }
    // Main memory is called so only where there is other memory to tell it from.
    if nodes.iter().any(|node| node.memory_kind.is_some()) {
        let main = |node: &&mut Node| node.memory_kind.is_none() && node.kind == NodeKind::Normal;
        nodes
            .iter_mut()
            .filter(main)
            .for_each(|node| node.memory_kind = Some(MemoryKind::Dram));
    }
}
