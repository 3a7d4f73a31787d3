//! Kubernetes' order, after its documentation (resource bin packing; CPU, memory and topology management on a node;
//! KEP-693, 1769, 2625, 3570): the scheduler takes the node with the highest score of `NodeResourcesFit` by
//! `MostAllocated` over CPU and memory, knowing sums only; the kubelet then allocates by the static CPU policy with
//! `full-pcpus-only`, packed, and static memory, under a topology policy, or turns the pod away.
//!
//! In its favour: a pod that was turned away is tried on the node of the next score, where it would in truth stay
//! failed and be made anew.

use std::collections::BTreeSet;

use infra_api::IdSet;
use infra_place::{Ask, L3, Numa, Threads, View};

use super::hand::{Part, has, loose, view};
use super::kinds::RATIO;
use super::rules::{Free, huge, threads, vfs};
use super::{Order, Put};

/// What the kubelet asks of topology.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topology {
    SingleNumaNode,
    BestEffort,
}

pub(crate) struct Kubernetes(pub(crate) Topology);

impl Order for Kubernetes {
    fn name(&self) -> &'static str {
        match self.0 {
            Topology::SingleNumaNode => "Kubernetes, single-numa-node",
            Topology::BestEffort => "Kubernetes, best-effort",
        }
    }

    /// No cells, no L3, no isolated threads, no parts of cores.
    fn can_be_asked(&self, ask: &Ask) -> bool {
        let isolate = threads(ask) == Some(Threads::Isolate);
        let part = threads(ask).is_some() && !ask.cpus.count.is_multiple_of(2);
        ask.numa == Numa::Auto && ask.cpus.l3 != L3::Require && !isolate && !part
    }

    fn place(&mut self, hosts: &[Free], number: usize, ask: &Ask) -> Vec<Put> {
        let mut scored: Vec<(u64, usize)> = (hosts.iter().enumerate())
            .filter_map(|(host, free)| Some((score(free, ask)?, host)))
            .collect();
        scored.sort_by_key(|(score, host)| (std::cmp::Reverse(*score), *host));
        let found = scored.into_iter().find_map(|(_, host)| {
            let view = self.admit(&hosts[host], ask)?;
            Some(Put { number, host, view })
        });
        found.into_iter().collect()
    }
}

/// What is requested of a host and what it has: thousandths of CPUs, bytes.
fn requested(free: &Free) -> [(u64, u64); 2] {
    let machine = &free.machine;
    let own = machine.usable() - free.cpus();
    let all: u64 = machine.bytes.iter().sum();
    [
        (
            own * 1000 + free.shared * 1000 / RATIO,
            machine.usable() * 1000,
        ),
        (all - free.bytes, all),
    ]
}

/// `MostAllocated`; nothing where the sums do not suffice.
fn score(free: &Free, ask: &Ask) -> Option<u64> {
    let count = u64::from(ask.cpus.count) * 1000;
    let cpu = if threads(ask).is_some() {
        count
    } else {
        count / RATIO
    };
    let (ordinary, pages) = match huge(ask) {
        true => (0, ask.memory.bytes / super::kinds::PAGE),
        false => (ask.memory.bytes, 0),
    };
    let more = [cpu, ordinary + ask.memory.overhead_bytes];
    let devices = free.vfs.iter().filter(|vf| **vf).count() >= vfs(ask);
    if !devices || free.pages.iter().sum::<u64>() < pages {
        return None;
    }
    let mut sum = 0;
    for ((used, all), more) in requested(free).into_iter().zip(more) {
        if used + more > all {
            return None;
        }
        sum += u64::try_from(u128::from(used + more) * 100 / u128::from(all)).ok()?;
    }
    Some(sum / 2)
}

impl Kubernetes {
    /// The kubelet.
    fn admit(&self, free: &Free, ask: &Ask) -> Option<View> {
        if threads(ask).is_none() {
            return loose(free, ask);
        }
        let smt = free.machine.cores[0].threads.len();
        if !(ask.cpus.count as usize).is_multiple_of(smt) {
            return None;
        }
        let nodes = 0..free.machine.nodes.len();
        let fits = |node: &usize| {
            free.cpus_of(*node) >= ask.cpus.count
                && has(free, ask, *node, ask.memory.bytes)
                && free.free_vfs(*node).len() >= vfs(ask)
        };
        // Every hint of one node is preferred, and of equal ones the lowest mask is taken.
        let place = match (nodes.clone().find(fits), self.0) {
            (Some(node), _) => aligned(free, ask, node),
            (None, Topology::SingleNumaNode) => None,
            (None, Topology::BestEffort) => anywhere(free, ask),
        }?;
        free.run(0, place.taken.len() as u64).then_some(place)
    }
}

fn aligned(free: &Free, ask: &Ask, node: usize) -> Option<View> {
    let cores: Vec<usize> = free.machine.cores_of(node).collect();
    let part = Part {
        node: Some(node),
        cpus: packed(free, &cores, ask.cpus.count as usize)?,
        count: ask.cpus.count,
        bytes: ask.memory.bytes,
    };
    let mut devices = free.free_vfs(node);
    devices.truncate(vfs(ask));
    Some(view(free, ask, &[part], &devices, None))
}

/// Admitted though nothing aligns: CPUs packed over the whole host, huge pages of nodes in their order. Where a device
/// then is on none of its nodes it is not what was asked for here.
fn anywhere(free: &Free, ask: &Ask) -> Option<View> {
    let cores: Vec<usize> = (0..free.machine.cores.len()).collect();
    let cpus = packed(free, &cores, ask.cpus.count as usize)?;
    let nodes: BTreeSet<usize> = cpus.iter().map(|c| free.machine.node_of(c)).collect();
    let mut devices: Vec<usize> = nodes.iter().flat_map(|n| free.free_vfs(*n)).collect();
    devices.truncate(vfs(ask));
    if devices.len() < vfs(ask) || ask.memory.overhead_bytes > free.bytes {
        return None;
    }
    let mut open = if huge(ask) {
        ask.memory.bytes / super::kinds::PAGE
    } else {
        0
    };
    let mut pages = Vec::new();
    for (node, there) in free.pages.iter().enumerate() {
        let own = open.min(*there);
        open -= own;
        pages.extend((own > 0).then_some((node, own)));
    }
    let part = Part {
        node: None,
        cpus,
        count: ask.cpus.count,
        bytes: ask.memory.bytes,
    };
    (open == 0).then(|| view(free, ask, &[part], &devices, Some(pages)))
}

/// Packed: whole NUMA nodes while the rest needs one, then whole cores, both of what has fewest free CPUs first. With
/// `full-pcpus-only` there are no single threads to be taken.
fn packed(free: &Free, cores: &[usize], count: usize) -> Option<IdSet> {
    let machine = &free.machine;
    let whole = |core: &usize| free.cores[*core] == machine.all(*core);
    let open: Vec<usize> = cores.iter().copied().filter(whole).collect();
    let node = |core: usize| machine.cores[core].node;
    let mut nodes: Vec<usize> = open.iter().map(|core| node(*core)).collect();
    nodes.dedup();
    nodes.sort_by_key(|node| (free.cpus_of(*node), *node));
    let mut chosen = IdSet::new();
    for of in &nodes {
        let own: Vec<usize> = open.iter().copied().filter(|c| node(*c) == *of).collect();
        let all = machine.cores_of(*of).count();
        let threads = machine.cores[own[0]].threads.len();
        if own.len() == all && chosen.len() + own.len() * threads <= count {
            own.iter()
                .for_each(|c| chosen.extend(&machine.ids(*c, machine.all(*c))));
        }
    }
    for of in &nodes {
        for core in open.iter().copied().filter(|c| node(*c) == *of) {
            if chosen.len() < count {
                chosen.extend(&machine.ids(core, machine.all(core)));
            }
        }
    }
    (chosen.len() == count).then_some(chosen)
}
