//! NUMA nodes: their CPUs, memory, distances and huge pages.

use std::collections::BTreeMap;

use infra_api::IdSet;
use infra_api::facts::{Node, NodeKind};

use crate::reader::Reader;
use crate::{cpus, hugepages, memory, memory_kinds, task};

pub(crate) const NODE: &str = "sys/devices/system/node";

pub(crate) fn read(reader: &Reader<'_>, online: &IdSet) -> Vec<Node> {
    let ids = ids(reader);
    if ids.is_empty() {
        return vec![whole_machine(reader, online)];
    }
    let devices = device_nodes(reader);
    let running = Running {
        online,
        off: cpus::listed_present(reader).map(|present| &present - online),
    };
    let node = |id| node(reader, id, &ids, &running, &devices);
    let mut nodes: Vec<Node> = ids.iter().map(node).collect();
    memory_kinds::read(reader, &mut nodes);
    // Memory of a node that is offline still counts for the host.
    let possible = reader.list(&format!("{NODE}/possible"));
    if let ([only], Some(1)) = (nodes.as_mut_slice(), possible.map(|ids| ids.len())) {
        all_memory(reader, only);
    }
    nodes
}

/// The only node there can be has all memory. Kernels that set memory up only when it is needed
/// count what is still to come for the host and not for the node.
fn all_memory(reader: &Reader<'_>, node: &mut Node) {
    let host = memory::host(reader);
    if host.total > node.memory_bytes {
        (node.memory_bytes, node.free_bytes) = (host.total, host.free);
        node.reclaimable_bytes = host.reclaimable;
    }
}

/// The distance of a node to itself.
const LOCAL: u32 = 10;

/// The nodes that are there and online. A directory may outlive its node, and a kernel may list a
/// node a saved tree does not hold.
fn ids(reader: &Reader<'_>) -> IdSet {
    let directories = reader.ids(NODE, "node");
    match reader.list(&format!("{NODE}/online")) {
        Some(online) => &directories & &online,
        None => directories,
    }
}

/// A kernel without NUMA has no nodes; the machine then is one.
fn whole_machine(reader: &Reader<'_>, online: &IdSet) -> Node {
    let memory = memory::host(reader);
    Node {
        id: 0,
        kind: NodeKind::Normal,
        cpus: online.clone(),
        memory_bytes: memory.total,
        free_bytes: memory.free,
        reclaimable_bytes: memory.reclaimable,
        distances: BTreeMap::from([(0, LOCAL)]),
        hugepages: hugepages::read(reader, hugepages::HOST),
        ..Node::default()
    }
}

/// Which CPUs run.
struct Running<'a> {
    online: &'a IdSet,
    /// Those that are there and do not, by the kernel's own word: a directory that is not there
    /// may only be missing in a saved tree. None is unknown.
    off: Option<IdSet>,
}

impl Running<'_> {
    /// A node's CPUs without those that are off. One that is not there at all stays: it is not for
    /// this reader to say which of the two is wrong.
    fn of(&self, cpus: &IdSet) -> IdSet {
        match &self.off {
            Some(off) => cpus - off,
            None => cpus & self.online,
        }
    }
}

fn node(reader: &Reader<'_>, id: u32, ids: &IdSet, running: &Running<'_>, devices: &IdSet) -> Node {
    let directory = format!("{NODE}/node{id}");
    let cpus = running.of(&cpus(reader, &directory).unwrap_or_default());
    let memory = memory::of_node(reader, &directory);
    Node {
        id,
        kind: kind(devices.contains(id), &cpus, memory.total),
        cpus,
        memory_bytes: memory.total,
        free_bytes: memory.free,
        reclaimable_bytes: memory.reclaimable,
        distances: distances(reader, &directory, ids),
        hugepages: hugepages::read(reader, &format!("{directory}/hugepages")),
        ..Node::default()
    }
}

fn cpus(reader: &Reader<'_>, directory: &str) -> Option<IdSet> {
    let list = reader.list(&format!("{directory}/cpulist"));
    list.or_else(|| reader.mask(&format!("{directory}/cpumap")))
}

fn kind(device: bool, cpus: &IdSet, memory: Option<u64>) -> NodeKind {
    match (device, cpus.is_empty(), memory == Some(0)) {
        (true, _, _) => NodeKind::Device,
        (_, true, true) => NodeKind::Empty,
        (_, true, false) => NodeKind::MemoryOnly,
        (_, false, true) => NodeKind::CpuOnly,
        (_, false, false) => NodeKind::Normal,
    }
}

/// A row of the distance matrix. Its columns are the online nodes; where the row is longer, they
/// are all nodes the kernel could have.
fn distances(reader: &Reader<'_>, directory: &str, ids: &IdSet) -> BTreeMap<u32, u32> {
    let path = format!("{directory}/distance");
    let Some(text) = reader.text(&path) else {
        return BTreeMap::new();
    };
    let row: Result<Vec<u32>, _> = text.split_whitespace().map(str::parse).collect();
    let Ok(row) = row else {
        reader.problem(&path, format_args!("`{text}` is not a row of distances"));
        return BTreeMap::new();
    };
    // Firmware that does not know writes 0. What is below 10 has no meaning.
    if row.iter().any(|distance| *distance < LOCAL) {
        if row.iter().any(|distance| *distance > 0) {
            let what =
                format_args!("`{text}` has a distance below {LOCAL}, which is that to itself");
            reader.problem(&path, what);
        }
        return BTreeMap::new();
    }
    let possible = || reader.list(&format!("{NODE}/possible")).unwrap_or_default();
    let candidates = [ids.clone(), possible()];
    let Some(columns) = candidates.iter().find(|columns| columns.len() == row.len()) else {
        reader.problem(
            &path,
            format_args!("{} distances for {} nodes", row.len(), ids.len()),
        );
        return BTreeMap::new();
    };
    let pairs = columns.iter().zip(row);
    pairs.filter(|(to, _)| ids.contains(*to)).collect()
}

/// Nodes that are the memory of a GPU. The driver tells; the kernel shows them like any other.
fn device_nodes(reader: &Reader<'_>) -> IdSet {
    let gpus = "proc/driver/nvidia/gpus";
    let names = reader.names(gpus);
    let nodes = names.iter().filter_map(|gpu| {
        let status = reader.text(&format!("{gpus}/{gpu}/numa_status"))?;
        let node = status.lines().find_map(|line| line.strip_prefix("Node:"))?;
        node.trim().parse().ok()
    });
    nodes.collect()
}

/// The nodes whose memory may be used: what the cgroup says, else what the kernel says of the
/// reading task (memory nodes, unlike CPUs, only a cpuset can take away).
pub(crate) fn allowed(reader: &Reader<'_>, nodes: &[Node], limit: Option<&IdSet>) -> Option<IdSet> {
    let ids: IdSet = nodes.iter().map(|node| node.id).collect();
    let limit = limit.cloned().or_else(|| task::memory_nodes(reader))?;
    Some(&limit & &ids)
}
