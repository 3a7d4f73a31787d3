//! What is still free on one host, and fitting one workload into it.

use std::collections::BTreeMap;

use infra_api::{Address, Cell, CpuPolicy, IdSet, Placement, Runtime, Vcpu};

use super::ask::Ask;
use super::cost::Cost;
use super::cpus::{self, Pick};
use super::refusal::Constraint;
use crate::declared::Workload;
use crate::inventory::HostInventory;

/// The vCPUs' companion: QEMU's own threads.
const EMULATOR: &str = "emulator";

/// One host while it fills.
pub(super) struct Room<'a> {
    host: &'a HostInventory,
    /// CPUs nobody has to himself.
    free: IdSet,
    memory: Option<u64>,
    node_memory: BTreeMap<u32, u64>,
    /// (node, page size) → pages.
    pages: BTreeMap<(u32, u64), u64>,
}

impl<'a> Room<'a> {
    /// Pages that `prior` holds are counted as free: whoever has them asks for them again.
    pub(super) fn new(host: &'a HostInventory, prior: &BTreeMap<Address, Placement>) -> Self {
        let mut pages: BTreeMap<(u32, u64), u64> = BTreeMap::new();
        for node in &host.facts.nodes {
            for pool in &node.hugepages {
                pages.insert((node.id, pool.size_bytes), pool.free.unwrap_or(0));
            }
        }
        let ours = prior
            .values()
            .filter(|p| p.host == host.declared.name)
            .flat_map(|p| &p.cells);
        for cell in ours {
            if let (Some(node), Some(size)) = (cell.node, cell.page_size_bytes) {
                *pages.entry((node, size)).or_default() += cell.memory_bytes / size;
            }
        }
        Self {
            host,
            free: host.cpus.clone(),
            memory: host.memory_bytes,
            node_memory: host.node_memory_bytes.clone(),
            pages,
        }
    }

    /// Finds a place and takes it, or says the first thing that is wanting.
    pub(super) fn fit(
        &mut self,
        ask: &Ask,
        before: Option<&Placement>,
    ) -> Result<Placement, Constraint> {
        self.memory_suffices(ask)?;
        let here = before.filter(|b| b.host == self.host.declared.name && b.runtime == ask.runtime);
        let place = match (&ask.set, ask.policy) {
            (Some(set), _) => self.named(ask, set)?,
            (None, CpuPolicy::Dedicated) => self.dedicated(ask, here)?,
            (None, CpuPolicy::Shared) => Place {
                pick: None,
                node: self.bound_node(ask, None)?,
            },
        };
        Ok(self.take(ask, place, here))
    }

    fn memory_suffices(&self, ask: &Ask) -> Result<(), Constraint> {
        let need = ask.ordinary_bytes();
        match self.memory {
            Some(have) if need > have => Err(Constraint::Memory {
                need,
                have,
                nodes: None,
            }),
            _ => Ok(()),
        }
    }

    /// The person's own CPUs: checked and obeyed.
    fn named(&self, ask: &Ask, set: &IdSet) -> Result<Place, Constraint> {
        let wrong = |why: String| Constraint::NamedCpus {
            need: set.clone(),
            have: self.free.clone(),
            why,
        };
        let facts = &self.host.facts;
        let absent = set - &facts.cpus.online;
        if !absent.is_empty() {
            return Err(wrong(format!(
                "CPU {absent} is not online; the host has {}",
                facts.cpus.online
            )));
        }
        let kept = set & &self.host.reserved_cpus;
        if !kept.is_empty() {
            return Err(wrong(format!(
                "CPU {kept} is kept for the host itself (`reserve`)"
            )));
        }
        let barred = set - &self.host.cpus;
        if !barred.is_empty() {
            return Err(wrong(format!(
                "CPU {barred} may not be used: outside this system's cgroup, or another's alone"
            )));
        }
        let taken = set - &self.free;
        if !taken.is_empty() {
            return Err(wrong(format!(
                "CPU {taken} belongs to another dedicated workload"
            )));
        }
        let node = self.bound_node(ask, self.only_node(set))?;
        if ask.policy == CpuPolicy::Shared {
            return Ok(Place { pick: None, node });
        }
        let pick = cpus::check(self.host, set, &self.free, ask.threads)
            .ok_or_else(|| wrong(format!("CPU {set} {}", cpus::unfit(ask.threads))))?;
        Ok(Place {
            pick: Some(pick),
            node,
        })
    }

    fn dedicated(&self, ask: &Ask, here: Option<&Placement>) -> Result<Place, Constraint> {
        let kept = here
            .filter(|b| b.policy == CpuPolicy::Dedicated && b.cpus().len() == ask.cpus as usize);
        if let Some(pick) =
            kept.and_then(|b| cpus::check(self.host, &b.cpus(), &self.free, ask.threads))
            && let Ok(node) = self.bound_node(ask, self.only_node(&pick.cpus))
        {
            return Ok(Place {
                pick: Some(pick),
                node,
            });
        }
        let allowed = self.allowed_cpus(ask)?;
        let one_node = self.node_candidates(ask, &allowed);
        if let Some((_, place)) = one_node.into_iter().min_by_key(|(cost, _)| *cost) {
            return Ok(place);
        }
        let pick = cpus::pick(self.host, &allowed, ask.cpus as usize, ask.threads);
        let pick = pick.ok_or_else(|| Constraint::DedicatedCpus {
            need: u64::from(ask.cpus),
            have: cpus::most(self.host, &allowed, ask.threads) as u64,
            threads: cpus::words(ask.threads).to_owned(),
        })?;
        Ok(Place {
            pick: Some(pick),
            node: self.bound_node(ask, None)?,
        })
    }

    /// Free CPUs, of the nodes that were named where any were.
    fn allowed_cpus(&self, ask: &Ask) -> Result<IdSet, Constraint> {
        let Some(nodes) = &ask.nodes else {
            return Ok(self.free.clone());
        };
        self.nodes_are_there(nodes)?;
        let of_nodes = self
            .host
            .facts
            .nodes
            .iter()
            .filter(|n| nodes.contains(n.id));
        Ok(of_nodes.fold(IdSet::new(), |all, node| &all | &(&node.cpus & &self.free)))
    }

    fn nodes_are_there(&self, nodes: &IdSet) -> Result<(), Constraint> {
        let have: IdSet = self.node_memory.keys().copied().collect();
        let missing = !nodes.is_subset(&have);
        missing.then_some(()).map_or(Ok(()), |()| {
            Err(Constraint::NamedNodes {
                need: nodes.clone(),
                have,
            })
        })
    }

    /// Every node that alone has room, with what it would cost.
    fn node_candidates(&self, ask: &Ask, allowed: &IdSet) -> Vec<(Cost, Place)> {
        let candidate = |node: &&infra_api::facts::Node| {
            let free = &node.cpus & allowed;
            let pick = cpus::pick(self.host, &free, ask.cpus as usize, ask.threads)?;
            let node = self.bound_node(ask, Some(node.id)).ok()?;
            let cost = self.cost(&pick, &free, false);
            Some((
                cost,
                Place {
                    pick: Some(pick),
                    node,
                },
            ))
        };
        self.host.nodes().iter().filter_map(candidate).collect()
    }

    fn cost(&self, pick: &Pick, free: &IdSet, moved: bool) -> Cost {
        let nodes = self
            .host
            .nodes()
            .iter()
            .filter(|n| !n.cpus.is_disjoint(&pick.cpus))
            .count();
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Cost {
            moved,
            extra_nodes: count(nodes.saturating_sub(1)),
            split_cores: pick.split_cores,
            left_over: count((free - &pick.taken).len()),
            first_cpu: pick.cpus.first().unwrap_or(0),
        }
    }

    /// The one node all these CPUs are on.
    fn only_node(&self, cpus: &IdSet) -> Option<u32> {
        self.host
            .nodes()
            .iter()
            .find(|n| cpus.is_subset(&n.cpus))
            .map(|n| n.id)
    }

    /// The node its memory is bound to: named, or its CPUs' where there are several; huge pages always come from
    /// one. Errs where that node has too little.
    fn bound_node(&self, ask: &Ask, preferred: Option<u32>) -> Result<Binding, Constraint> {
        if let Some(nodes) = &ask.nodes {
            self.nodes_are_there(nodes)?;
        }
        let named = |id: &u32| ask.nodes.as_ref().is_none_or(|n| n.contains(*id));
        let several = self.host.nodes().len() > 1;
        if let Some((size, need)) = ask.pages() {
            return self
                .paged(size, need, preferred.filter(named), &ask.nodes)
                .map(Binding::Node);
        }
        let need = ask.ordinary_bytes();
        match (&ask.nodes, preferred.filter(named)) {
            (Some(nodes), None) if nodes.len() > 1 => self.across(nodes, need),
            (Some(nodes), None) => self.on(nodes.first().unwrap_or(0), need),
            (None, Some(node)) if !several && ask.nodes.is_none() => {
                self.fits_on(node, need).map(|()| Binding::Free)
            }
            (_, Some(node)) => self.on(node, need),
            (None, None) => Ok(Binding::Free),
        }
    }

    fn paged(
        &self,
        size: u64,
        need: u64,
        preferred: Option<u32>,
        named: &Option<IdSet>,
    ) -> Result<u32, Constraint> {
        let on = |node: u32| self.pages.get(&(node, size)).copied().unwrap_or(0);
        let nodes: Vec<u32> = match (preferred, named) {
            (Some(node), _) => vec![node],
            (None, Some(nodes)) => nodes.iter().collect(),
            (None, None) => self.host.facts.nodes.iter().map(|n| n.id).collect(),
        };
        // The tightest fit keeps room for what is large.
        let fitting = nodes
            .iter()
            .copied()
            .filter(|n| on(*n) >= need)
            .min_by_key(|n| (on(*n), *n));
        fitting.ok_or_else(|| Constraint::HugePages {
            need,
            have: nodes.iter().map(|n| on(*n)).max().unwrap_or(0),
            page_size_bytes: size,
            node: preferred,
        })
    }

    fn fits_on(&self, node: u32, need: u64) -> Result<(), Constraint> {
        match self.node_memory.get(&node) {
            Some(have) if need > *have => Err(Constraint::Memory {
                need,
                have: *have,
                nodes: Some(IdSet::from([node])),
            }),
            _ => Ok(()),
        }
    }

    fn on(&self, node: u32, need: u64) -> Result<Binding, Constraint> {
        self.fits_on(node, need).map(|()| Binding::Node(node))
    }

    fn across(&self, nodes: &IdSet, need: u64) -> Result<Binding, Constraint> {
        let have: u64 = nodes.iter().filter_map(|n| self.node_memory.get(&n)).sum();
        if need > have {
            return Err(Constraint::Memory {
                need,
                have,
                nodes: Some(nodes.clone()),
            });
        }
        Ok(Binding::Nodes(nodes.clone()))
    }

    /// Takes the place out of what is free.
    fn take(&mut self, ask: &Ask, place: Place, here: Option<&Placement>) -> Placement {
        let free_before = self.free.clone();
        if let Some(pick) = &place.pick {
            self.free = &self.free - &pick.taken;
        }
        let need = ask.ordinary_bytes();
        self.memory = self.memory.map(|have| have.saturating_sub(need));
        match &place.node {
            Binding::Node(node) => self.take_on(*node, ask),
            Binding::Nodes(nodes) => self.take_across(nodes, need),
            Binding::Free => {}
        }
        let cost = place.pick.as_ref().map(|pick| {
            let moved =
                here.is_some_and(|b| b.policy == CpuPolicy::Dedicated && b.cpus() != pick.cpus);
            self.cost(pick, &free_before, moved)
        });
        Placement {
            runtime: ask.runtime,
            host: self.host.declared.name.clone(),
            policy: ask.policy,
            cells: cells(ask, &place),
            helpers: BTreeMap::new(),
            devices: Vec::new(),
            addresses: BTreeMap::new(),
            tiers: cost.map(Cost::tiers).unwrap_or_default(),
        }
    }

    fn take_on(&mut self, node: u32, ask: &Ask) {
        if let Some(have) = self.node_memory.get_mut(&node) {
            *have = have.saturating_sub(ask.ordinary_bytes());
        }
        if let Some((size, count)) = ask.pages()
            && let Some(have) = self.pages.get_mut(&(node, size))
        {
            *have -= count;
        }
    }

    /// Memory that may lie on any of several nodes is taken from the fullest first, so that no node is promised twice.
    fn take_across(&mut self, nodes: &IdSet, mut need: u64) {
        let mut by_room: Vec<u32> = nodes.iter().collect();
        by_room.sort_by_key(|n| self.node_memory.get(n).copied());
        for node in by_room {
            if let Some(have) = self.node_memory.get_mut(&node) {
                let part = need.min(*have);
                *have -= part;
                need -= part;
            }
        }
    }

    /// Gives a shared workload the CPUs that are left, and a machine's helper threads theirs.
    pub(super) fn share(
        &self,
        placement: &mut Placement,
        workload: &Workload,
    ) -> Result<(), Constraint> {
        if placement.policy == CpuPolicy::Shared {
            let named = workload.cpus.set.as_ref().map(|s| s.value.clone());
            let cpus = named.unwrap_or_else(|| self.shared_cpus(placement));
            if cpus.is_empty() || !cpus.is_subset(&self.free) {
                return Err(Constraint::SharedCpus {
                    need: 1,
                    have: (&cpus & &self.free).len() as u64,
                });
            }
            for cell in &mut placement.cells {
                cell.cpus = cpus.clone();
            }
        }
        if placement.runtime == Runtime::Kvm {
            let own = placement.cpus();
            let helpers = if self.free.is_empty() {
                own
            } else {
                self.free.clone()
            };
            placement.helpers.insert(EMULATOR.to_owned(), helpers);
        }
        Ok(())
    }

    /// What is free, on the nodes its memory is bound to where it is bound and these have any.
    fn shared_cpus(&self, placement: &Placement) -> IdSet {
        let bound = placement.nodes();
        let near = self
            .host
            .facts
            .nodes
            .iter()
            .filter(|n| bound.contains(n.id));
        let near = near.fold(IdSet::new(), |all, node| &all | &(&node.cpus & &self.free));
        if near.is_empty() {
            self.free.clone()
        } else {
            near
        }
    }
}

/// CPUs and nodes chosen.
struct Place {
    /// Of dedicated CPUs.
    pick: Option<Pick>,
    node: Binding,
}

/// What memory is bound to.
enum Binding {
    Free,
    Node(u32),
    Nodes(IdSet),
}

fn cells(ask: &Ask, place: &Place) -> Vec<Cell> {
    let cpus = place
        .pick
        .as_ref()
        .map(|p| p.cpus.clone())
        .unwrap_or_default();
    let mut own = cpus.iter();
    let vcpus = (0..ask.cpus)
        .map(|id| Vcpu {
            id,
            cpu: own.next(),
        })
        .collect();
    let first = |node| Cell {
        node,
        cpus: cpus.clone(),
        vcpus,
        memory_bytes: ask.memory_bytes,
        page_size_bytes: ask.page_size_bytes,
    };
    match &place.node {
        Binding::Free => vec![first(None)],
        Binding::Node(node) => vec![first(Some(*node))],
        // Memory of several nodes without a split: the first cell carries it, the others name their nodes.
        Binding::Nodes(nodes) => {
            let bare = |node| Cell {
                node: Some(node),
                cpus: cpus.clone(),
                vcpus: Vec::new(),
                memory_bytes: 0,
                page_size_bytes: None,
            };
            let mut cells = vec![first(nodes.first())];
            cells.extend(nodes.iter().skip(1).map(bare));
            cells
        }
    }
}
