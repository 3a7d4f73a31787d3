//! Hosts as they were found, minus what each keeps for itself: what may be planned on.

mod functions;
mod prepared;

use std::collections::BTreeMap;

use infra_api::facts::{Facts, HugePages, Node, NodeKind, Used};
use infra_api::target::KernelSetting;
use infra_api::{HostName, IdSet, Project};
use infra_diag::{Diagnostic, Diagnostics};

use crate::declared::{Host, Reserve};

/// A host with this many CPUs or fewer keeps none for itself unless told to: there would be too little left.
const SMALL_HOST_CPUS: usize = 2;

/// As many contradictions of a host's facts are shown.
const SHOWN: usize = 5;

/// All hosts, by name.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    pub hosts: BTreeMap<HostName, HostInventory>,
}

/// One host.
#[derive(Clone, Debug)]
pub struct HostInventory {
    pub declared: Host,
    /// As they are once its kernel is set.
    pub facts: Facts,
    /// What its kernel is set to, sorted by file.
    pub settings: Vec<KernelSetting>,
    /// CPUs it keeps for itself.
    pub reserved_cpus: IdSet,
    /// Whether that is the default and not the person's word.
    pub reserved_by_default: bool,
    /// CPUs workloads may get: online, allowed and not reserved; not another's alone.
    pub cpus: IdSet,
    /// Of these, CPUs that others are bound to: nobody may have them to himself. Who is bound to all is bound to none.
    pub bound_cpus: IdSet,
    /// Bytes of ordinary memory workloads may get in all; unknown where the host did not tell.
    pub memory_bytes: Option<u64>,
    /// Nodes whose memory workloads may get.
    pub memory_nodes: IdSet,
    /// The same of each of them that tells.
    pub node_memory_bytes: BTreeMap<u32, u64>,
    /// Huge pages workloads may get, by node and size.
    pub pages: BTreeMap<(u32, u64), u64>,
}

impl Inventory {
    /// Joins declarations and facts. A reserve the host does not have is an error at its place; so are facts that
    /// cannot be true, of which no plan can come.
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
            diagnostics.extend(untrue(declared, &facts));
            let host = HostInventory::new(declared.clone(), facts, project, &mut diagnostics);
            inventory.hosts.insert(name, host);
        }
        (inventory, diagnostics)
    }
}

impl HostInventory {
    fn new(
        declared: Host,
        mut facts: Facts,
        project: &Project,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let settings = prepared::prepare(&declared, &mut facts, diagnostics);
        fabrics(&declared, &facts, diagnostics);
        let reserved_by_default = declared.reserve.is_none();
        let reserve = declared.reserve.clone().unwrap_or_default();
        let reserved_cpus = if reserved_by_default {
            default_reserve(&facts)
        } else {
            asked_reserve(&reserve, &facts, diagnostics)
        };
        let (own, foreign): (Vec<&Used>, Vec<&Used>) = facts
            .used
            .iter()
            .partition(|u| u.project.as_deref() == Some(project.as_str()));
        let taken = foreign
            .iter()
            .fold(IdSet::new(), |all, used| &all | &used.exclusive_cpus);
        let nodes = || facts.nodes.iter().filter(|n| gives_memory(n, &facts));
        let usable = facts.usable_cpus();
        let bound = foreign.iter().map(|used| &used.shared_cpus);
        let bound = bound.filter(|cpus| !usable.is_subset(cpus));
        Self {
            bound_cpus: bound.fold(IdSet::new(), |all, cpus| &all | cpus),
            cpus: &(&facts.usable_cpus() - &reserved_cpus) - &taken,
            memory_bytes: host_memory(&facts, &reserve, &foreign),
            memory_nodes: nodes().map(|n| n.id).collect(),
            node_memory_bytes: nodes()
                .filter_map(|n| node_memory(n, &reserve, &foreign))
                .collect(),
            pages: nodes()
                .flat_map(|n| node_pages(n, &own, &foreign))
                .collect(),
            settings,
            reserved_cpus,
            reserved_by_default,
            declared,
            facts,
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

    /// Whether its systemd does what it is told.
    #[must_use]
    pub fn has_systemd(&self) -> bool {
        let offer = self.facts.runtimes.bare_metal.as_ref();
        offer.is_some_and(|offer| offer.offered)
    }
}

/// Where a host's facts contradict themselves.
fn untrue(host: &Host, facts: &Facts) -> Option<Diagnostic> {
    let contradictions = facts.contradictions();
    let (first, more) = contradictions.split_first()?;
    let error = Diagnostic::error("Facts that contradict themselves");
    let error = more
        .iter()
        .take(SHOWN - 1)
        .fold(error.note(first.to_string()), |error, c| {
            error.note(c.to_string())
        });
    let error = match more.len().saturating_sub(SHOWN - 1) {
        0 => error,
        more => error.note(format!("and {more} more; `infra facts` shows all")),
    };
    let error = error.hint(format!(
        "nothing is planned on facts that cannot be true: look at these files on `{}`, or correct what was recorded",
        host.name
    ));
    Some(match host.origin {
        Some(origin) => error.at(
            origin,
            format!("what was read of `{}` cannot be true", host.name),
        ),
        None => error,
    })
}

/// A card that is not there, or that has no virtual functions, would give none without a word.
fn fabrics(host: &Host, facts: &Facts, diagnostics: &mut Diagnostics) {
    if facts.pci.is_empty() {
        return;
    }
    for (name, fabric) in &host.fabrics {
        for parent in &fabric.parents.value {
            let (text, hint) = match facts.pci_named(parent) {
                None => (
                    format!("`{}` has no `{parent}`", host.name),
                    "name cards that `infra facts` shows, by interface or PCI address",
                ),
                Some(card)
                    if fabric.vfs.is_none() && facts.functions(&card.address).next().is_none() =>
                {
                    (
                        format!("`{parent}` has no virtual functions"),
                        "write in the block how many it shall have: `vfs = 4`",
                    )
                }
                Some(_) => continue,
            };
            let summary = format!("Fabric `{name}` without its card");
            let error = Diagnostic::error(summary).at(fabric.parents.span, text);
            diagnostics.push(error.hint(hint));
        }
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

fn gives_memory(node: &Node, facts: &Facts) -> bool {
    let allowed = facts.allowed_nodes.as_ref();
    matches!(node.kind, NodeKind::Normal | NodeKind::MemoryOnly)
        && allowed.is_none_or(|nodes| nodes.contains(node.id))
}

fn host_memory(facts: &Facts, reserve: &Reserve, foreign: &[&Used]) -> Option<u64> {
    let nodes = facts
        .nodes
        .iter()
        .filter(|n| gives_memory(n, facts))
        .count() as u64;
    let gone = foreign
        .iter()
        .filter_map(|u| u.memory_bytes)
        .chain(facts.hugepages.iter().map(pool_bytes))
        .chain([
            reserve.memory_bytes,
            reserve.memory_per_node_bytes.saturating_mul(nodes),
        ]);
    let gone = gone.fold(0, u64::saturating_add);
    facts.memory_bytes.map(|total| total.saturating_sub(gone))
}

/// What others have there and nowhere else is gone; of what they have on several nodes it is not known where.
fn node_memory(node: &Node, reserve: &Reserve, foreign: &[&Used]) -> Option<(u32, u64)> {
    let here = IdSet::from([node.id]);
    let gone = foreign
        .iter()
        .filter(|u| u.memory_nodes.as_ref() == Some(&here))
        .filter_map(|u| u.memory_bytes)
        .chain(node.hugepages.iter().map(pool_bytes))
        .chain([reserve.memory_per_node_bytes]);
    let gone = gone.fold(0, u64::saturating_add);
    Some((node.id, node.memory_bytes?.saturating_sub(gone)))
}

/// Pages nobody has, and those of our own machines, which ask for them again; no more than there are in all beside
/// those of others.
fn node_pages(node: &Node, own: &[&Used], foreign: &[&Used]) -> Vec<((u32, u64), u64)> {
    let of = |users: &[&Used], size: u64| -> u64 {
        let pages = users.iter().flat_map(|u| &u.hugepages);
        let here = pages.filter(|p| p.node == Some(node.id) && p.size_bytes == size);
        here.map(|p| p.count).fold(0, u64::saturating_add)
    };
    let pages = |pool: &HugePages| {
        let size = pool.size_bytes;
        let free = pool.free.unwrap_or(0).saturating_add(of(own, size));
        let all = pool.total.map(|t| t.saturating_sub(of(foreign, size)));
        ((node.id, size), free.min(all.unwrap_or(free)))
    };
    node.hugepages.iter().map(pages).collect()
}

fn pool_bytes(pool: &HugePages) -> u64 {
    pool.total.unwrap_or(0).saturating_mul(pool.size_bytes)
}
