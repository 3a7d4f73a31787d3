//! Hosts as they were found, minus what each keeps for itself: what may be planned on.

use std::collections::BTreeMap;

use infra_api::facts::{Facts, Node, NodeKind};
use infra_api::{HostName, IdSet, Project};
use infra_diag::{Diagnostic, Diagnostics};

use crate::declared::{Host, Reserve};

/// A host with this many CPUs or fewer keeps none for itself unless told to: there would be too little left.
const SMALL_HOST_CPUS: usize = 2;

/// All hosts, by name.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    pub hosts: BTreeMap<HostName, HostInventory>,
}

/// One host.
#[derive(Clone, Debug)]
pub struct HostInventory {
    pub declared: Host,
    pub facts: Facts,
    /// CPUs it keeps for itself.
    pub reserved_cpus: IdSet,
    /// Whether that is the default and not the person's word.
    pub reserved_by_default: bool,
    /// CPUs workloads may get: online, allowed and not reserved; not another's alone.
    pub cpus: IdSet,
    /// Bytes of ordinary memory workloads may get in all; unknown where the host did not tell.
    pub memory_bytes: Option<u64>,
    /// The same of each node that has memory.
    pub node_memory_bytes: BTreeMap<u32, u64>,
}

impl Inventory {
    /// Joins declarations and facts. A reserve the host does not have is an error at its place.
    #[must_use]
    pub fn new(
        hosts: &BTreeMap<HostName, Host>,
        facts: BTreeMap<HostName, Facts>,
        project: &Project,
    ) -> (Self, Diagnostics) {
        let mut diagnostics = Diagnostics::new();
        let mut inventory = Self::default();
        for (name, facts) in facts {
            let Some(declared) = hosts.get(&name) else {
                continue;
            };
            let host = HostInventory::new(declared.clone(), facts, project, &mut diagnostics);
            inventory.hosts.insert(name, host);
        }
        (inventory, diagnostics)
    }
}

impl HostInventory {
    fn new(declared: Host, facts: Facts, project: &Project, diagnostics: &mut Diagnostics) -> Self {
        let reserved_by_default = declared.reserve.is_none();
        let reserve = declared.reserve.clone().unwrap_or_default();
        let reserved_cpus = if reserved_by_default {
            default_reserve(&facts)
        } else {
            asked_reserve(&reserve, &facts, diagnostics)
        };
        let foreign = foreign_exclusive(&facts, project);
        Self {
            cpus: &(&facts.usable_cpus() - &reserved_cpus) - &foreign,
            memory_bytes: facts
                .memory_bytes
                .map(|total| host_memory(total, &facts, &reserve, project)),
            node_memory_bytes: facts
                .nodes
                .iter()
                .filter_map(|n| node_memory(n, &reserve))
                .collect(),
            declared,
            facts,
            reserved_cpus,
            reserved_by_default,
        }
    }

    /// Nodes that have CPUs and memory, by id.
    #[must_use]
    pub fn nodes(&self) -> Vec<&Node> {
        self.facts
            .nodes
            .iter()
            .filter(|n| n.kind == NodeKind::Normal)
            .collect()
    }

    /// The online threads of a CPU's core, itself included.
    #[must_use]
    pub fn siblings(&self, cpu: u32) -> IdSet {
        self.facts
            .cpu(cpu)
            .map_or_else(|| IdSet::from([cpu]), |c| c.siblings.clone())
    }
}

fn default_reserve(facts: &Facts) -> IdSet {
    let usable = facts.usable_cpus();
    match usable.first() {
        Some(first) if usable.len() > SMALL_HOST_CPUS => facts
            .cpu(first)
            .map_or_else(|| IdSet::from([first]), |cpu| &cpu.siblings & &usable),
        _ => IdSet::new(),
    }
}

fn asked_reserve(reserve: &Reserve, facts: &Facts, diagnostics: &mut Diagnostics) -> IdSet {
    let mut cpus = IdSet::new();
    if let Some(asked) = &reserve.cpus {
        let missing = &asked.value - &facts.cpus.online;
        if !missing.is_empty() {
            diagnostics.push(
                Diagnostic::error("CPUs the host lacks")
                    .at(
                        asked.span,
                        format!(
                            "CPU {missing} is not online here; the host has {}",
                            facts.cpus.online
                        ),
                    )
                    .hint("reserve CPUs that `infra facts` shows as online"),
            );
        }
        cpus = asked.value.clone();
    }
    for node in &facts.nodes {
        cpus.extend(node.cpus.iter().take(reserve.cpus_per_node as usize));
    }
    cpus
}

/// CPUs that something which is not ours has to itself.
fn foreign_exclusive(facts: &Facts, project: &Project) -> IdSet {
    let foreign = facts
        .used
        .iter()
        .filter(|u| u.project.as_deref() != Some(project.as_str()));
    foreign.fold(IdSet::new(), |all, used| &all | &used.exclusive_cpus)
}

fn host_memory(total: u64, facts: &Facts, reserve: &Reserve, project: &Project) -> u64 {
    let pages: u64 = facts.hugepages.iter().map(pool_bytes).sum();
    let foreign = facts
        .used
        .iter()
        .filter(|u| u.project.as_deref() != Some(project.as_str()));
    let foreign: u64 = foreign.filter_map(|u| u.memory_bytes).sum();
    let nodes = facts.nodes.len() as u64;
    let kept = reserve.memory_bytes + reserve.memory_per_node_bytes * nodes;
    total
        .saturating_sub(pages)
        .saturating_sub(foreign)
        .saturating_sub(kept)
}

fn node_memory(node: &Node, reserve: &Reserve) -> Option<(u32, u64)> {
    let pages: u64 = node.hugepages.iter().map(pool_bytes).sum();
    let free = node
        .memory_bytes?
        .saturating_sub(pages)
        .saturating_sub(reserve.memory_per_node_bytes);
    (node.kind != NodeKind::Device).then_some((node.id, free))
}

fn pool_bytes(pool: &infra_api::facts::HugePages) -> u64 {
    pool.total.unwrap_or(0).saturating_mul(pool.size_bytes)
}
