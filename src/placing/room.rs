//! What is still free on one host, and fitting one workload into it.

use std::collections::BTreeMap;

use infra_api::facts::Node;
use infra_api::{Cell, CpuPolicy, IdSet, Placement, Runtime, Vcpu};

use super::ask::Ask;
use super::cost::Cost;
use super::cpus::{self, Pick};
use super::memory::Memory;
use super::refusal::Constraint;
use crate::inventory::HostInventory;

/// The vCPUs' companion: QEMU's own threads.
const EMULATOR: &str = "emulator";

/// One host while it fills.
pub(super) struct Room<'a> {
    host: &'a HostInventory,
    /// CPUs nobody has to himself.
    free: IdSet,
    /// Of these, CPUs that workloads share by name: nobody may have them to himself.
    shared: IdSet,
    /// Some workload here shares: one CPU at least stays free.
    sharers: bool,
    memory: Memory<'a>,
}

/// CPUs and nodes chosen.
struct Place {
    /// Of dedicated CPUs.
    pick: Option<Pick>,
    /// Its memory is bound to; none where it is bound to none.
    nodes: IdSet,
}

impl<'a> Room<'a> {
    pub(super) fn new(host: &'a HostInventory) -> Self {
        Self {
            host,
            free: host.cpus.clone(),
            shared: IdSet::new(),
            sharers: false,
            memory: Memory::new(host),
        }
    }

    /// Leaves a workload that is on this host exactly where it is, if it still fits there.
    pub(super) fn keep(&mut self, ask: &Ask, before: &Placement) -> Option<Placement> {
        let nodes = self.memory.keep(ask, before)?;
        let pick = match ask.policy {
            CpuPolicy::Shared => self.sharable(ask).ok().map(|()| None)?,
            CpuPolicy::Dedicated => Some(self.kept(ask, &before.cpus())?),
        };
        Some(self.take(ask, &Place { pick, nodes }, Some(before)))
    }

    /// Takes out of what is free what a workload has that is left as it is, whether it would get it again or not.
    pub(super) fn hold(&mut self, ask: &Ask, nodes: &IdSet) {
        let own = ask.set.clone().unwrap_or_default();
        match ask.policy {
            CpuPolicy::Dedicated => {
                let pick = cpus::check(self.host, &own, &self.free, ask.threads);
                self.free = &self.free - &pick.map_or(own, |pick| pick.taken);
            }
            // Nobody can be asked to leave them.
            CpuPolicy::Shared => {
                self.sharers = true;
                self.shared = &self.shared | &own;
            }
        }
        self.memory.take(ask, nodes);
    }

    fn kept(&self, ask: &Ask, own: &IdSet) -> Option<Pick> {
        let asked = ask.set.as_ref().is_none_or(|set| set == own)
            && own.len() == ask.cpus as usize
            && own.is_subset(&self.near(ask));
        let pick = cpus::check(self.host, own, &self.free, ask.threads).filter(|_| asked)?;
        self.leaves_enough(&pick).then_some(pick)
    }

    /// Finds the best place and takes it, or says the first thing that is wanting.
    pub(super) fn fit(
        &mut self,
        ask: &Ask,
        before: Option<&Placement>,
    ) -> Result<Placement, Constraint> {
        self.memory.bind(ask, None)?;
        let place = match (ask.policy, &ask.set) {
            (CpuPolicy::Dedicated, Some(set)) => self.named(ask, set)?,
            (CpuPolicy::Dedicated, None) => self.dedicated(ask)?,
            (CpuPolicy::Shared, _) => {
                self.sharable(ask)?;
                Place {
                    pick: None,
                    nodes: self.bind_near(ask, ask.set.as_ref())?,
                }
            }
        };
        Ok(self.take(ask, &place, before))
    }

    /// The person's own CPUs: checked and obeyed.
    fn named(&self, ask: &Ask, set: &IdSet) -> Result<Place, Constraint> {
        self.may_be_named(set)?;
        let barred = |why: String| Constraint::NamedCpus {
            need: set.clone(),
            have: self.free.clone(),
            why,
        };
        let shared = set & &self.shared;
        if !shared.is_empty() {
            return Err(barred(format!(
                "CPU {shared} is shared by another workload that names it"
            )));
        }
        let pick = cpus::check(self.host, set, &self.free, ask.threads)
            .ok_or_else(|| barred(format!("CPU {set} {}", cpus::unfit(ask.threads))))?;
        if !self.leaves_enough(&pick) {
            return Err(barred(format!(
                "CPU {set} is the last for the workloads that share"
            )));
        }
        Ok(Place {
            nodes: self.bind_near(ask, Some(set))?,
            pick: Some(pick),
        })
    }

    fn may_be_named(&self, set: &IdSet) -> Result<(), Constraint> {
        let online = &self.host.facts.cpus.online;
        let kept = set & &self.host.reserved_cpus;
        let (absent, barred, taken) = (set - online, set - &self.host.cpus, set - &self.free);
        let why = if !absent.is_empty() {
            format!("CPU {absent} is not online; the host has {online}")
        } else if !kept.is_empty() {
            format!("CPU {kept} is kept for the host itself (`reserve`)")
        } else if !barred.is_empty() {
            format!(
                "CPU {barred} may not be used: outside this system's cgroup, or another's alone"
            )
        } else if !taken.is_empty() {
            format!("CPU {taken} belongs to another dedicated workload")
        } else {
            return Ok(());
        };
        Err(Constraint::NamedCpus {
            need: set.clone(),
            have: self.free.clone(),
            why,
        })
    }

    /// Whether there are CPUs for it to share.
    fn sharable(&self, ask: &Ask) -> Result<(), Constraint> {
        match &ask.set {
            Some(set) => self.may_be_named(set),
            None if self.free.is_empty() => Err(Constraint::SharedCpus { need: 1, have: 0 }),
            None => Ok(()),
        }
    }

    /// Memory near its CPUs, else wherever it may be.
    fn bind_near(&self, ask: &Ask, cpus: Option<&IdSet>) -> Result<IdSet, Constraint> {
        let near = cpus.and_then(|c| self.only_node(c));
        let near = near.filter(|_| ask.policy == CpuPolicy::Dedicated);
        self.memory
            .bind(ask, near)
            .or_else(|_| self.memory.bind(ask, None))
    }

    /// On one node with its memory; else on one node; else wherever there are CPUs.
    fn dedicated(&self, ask: &Ask) -> Result<Place, Constraint> {
        let allowed = &self.near(ask) - &self.shared;
        let best = |local: bool| {
            let places = self.node_places(ask, &allowed, local);
            places.into_iter().min_by_key(|(cost, _)| *cost)
        };
        if let Some((_, place)) = best(true).or_else(|| best(false)) {
            return Ok(place);
        }
        let count = ask.cpus as usize;
        let lacking = |have: usize| Constraint::DedicatedCpus {
            need: u64::from(ask.cpus),
            have: have as u64,
            threads: cpus::words(ask.threads).to_owned(),
        };
        let pick = cpus::pick(self.host, &allowed, count, ask.threads)
            .ok_or_else(|| lacking(cpus::most(self.host, &allowed, ask.threads)))?;
        if !self.leaves_enough(&pick) {
            return Err(lacking(count.saturating_sub(1)));
        }
        Ok(Place {
            pick: Some(pick),
            nodes: self.memory.bind(ask, None)?,
        })
    }

    /// Free CPUs: of the nodes its memory was bound to by name, where these have CPUs.
    fn near(&self, ask: &Ask) -> IdSet {
        let Some(named) = &ask.nodes else {
            return self.free.clone();
        };
        let nodes = self.host.facts.nodes.iter();
        let cpus = nodes
            .filter(|n| named.contains(n.id))
            .fold(IdSet::new(), |all, node| &all | &node.cpus);
        if cpus.is_empty() || ask.set.is_some() {
            self.free.clone()
        } else {
            &cpus & &self.free
        }
    }

    /// Every node that alone has the CPUs (and the memory, where that is to be local), with what it would cost.
    fn node_places(&self, ask: &Ask, allowed: &IdSet, local: bool) -> Vec<(Cost, Place)> {
        let place = |node: &&Node| {
            let free = &node.cpus & allowed;
            let pick = cpus::pick(self.host, &free, ask.cpus as usize, ask.threads)?;
            let nodes = self.memory.bind(ask, local.then_some(node.id)).ok()?;
            let cost = self.cost(&pick, false);
            let pick = self.leaves_enough(&pick).then_some(pick)?;
            Some((
                cost,
                Place {
                    pick: Some(pick),
                    nodes,
                },
            ))
        };
        self.host.nodes().iter().filter_map(place).collect()
    }

    /// Whether those who share still have a CPU.
    fn leaves_enough(&self, pick: &Pick) -> bool {
        pick.taken.is_disjoint(&self.shared) && !(self.sharers && self.free.is_subset(&pick.taken))
    }

    fn cost(&self, pick: &Pick, moved: bool) -> Cost {
        let nodes = self.host.nodes();
        let used = || nodes.iter().filter(|n| !n.cpus.is_disjoint(&pick.cpus));
        let free = used().fold(IdSet::new(), |all, node| &all | &(&node.cpus & &self.free));
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Cost {
            moved,
            extra_nodes: count(used().count().saturating_sub(1)),
            split_cores: pick.split_cores,
            left_over: count((&free - &pick.taken).len()),
            first_cpu: pick.cpus.first().unwrap_or(0),
        }
    }

    /// The one node all these CPUs are on.
    fn only_node(&self, cpus: &IdSet) -> Option<u32> {
        let nodes = self.host.nodes();
        let node = nodes.iter().find(|n| cpus.is_subset(&n.cpus));
        node.map(|n| n.id)
    }

    /// Takes the place out of what is free.
    fn take(&mut self, ask: &Ask, place: &Place, before: Option<&Placement>) -> Placement {
        let host = &self.host.declared.name;
        let cost = place.pick.as_ref().map(|pick| {
            let moved =
                |b: &Placement| (&b.host, b.runtime, &b.cpus()) != (host, ask.runtime, &pick.cpus);
            self.cost(pick, before.is_some_and(moved))
        });
        match &place.pick {
            Some(pick) => self.free = &self.free - &pick.taken,
            None => {
                self.sharers = true;
                self.shared = &self.shared | ask.set.as_ref().unwrap_or(&IdSet::new());
            }
        }
        self.memory.take(ask, &place.nodes);
        Placement {
            runtime: ask.runtime,
            host: host.clone(),
            policy: ask.policy,
            cells: cells(ask, place),
            helpers: BTreeMap::new(),
            devices: Vec::new(),
            addresses: BTreeMap::new(),
            tiers: cost.map(Cost::tiers).unwrap_or_default(),
        }
    }

    /// Gives a shared workload the CPUs that are left, and a machine's helper threads theirs. Only when all are placed.
    pub(super) fn share(&self, placement: &mut Placement, named: Option<&IdSet>) {
        if placement.policy == CpuPolicy::Shared {
            let cpus = named
                .cloned()
                .unwrap_or_else(|| self.shared_cpus(placement));
            for cell in &mut placement.cells {
                cell.cpus = cpus.clone();
            }
        }
        if placement.runtime == Runtime::Kvm {
            let helpers = if self.free.is_empty() {
                placement.cpus()
            } else {
                self.free.clone()
            };
            placement.helpers.insert(EMULATOR.to_owned(), helpers);
        }
    }

    /// What is free, on the nodes its memory is bound to where it is bound and these have any.
    fn shared_cpus(&self, placement: &Placement) -> IdSet {
        let bound = placement.nodes();
        let nodes = self.host.facts.nodes.iter();
        let near = nodes
            .filter(|n| bound.contains(n.id))
            .fold(IdSet::new(), |all, node| &all | &(&node.cpus & &self.free));
        if near.is_empty() {
            self.free.clone()
        } else {
            near
        }
    }
}

fn cells(ask: &Ask, place: &Place) -> Vec<Cell> {
    let own = place.pick.as_ref().map(|p| p.cpus.clone());
    let cpus = own.unwrap_or_default();
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
    let bare = |node| Cell {
        node: Some(node),
        cpus: cpus.clone(),
        vcpus: Vec::new(),
        memory_bytes: 0,
        page_size_bytes: None,
    };
    // Memory of several nodes without a split: the first cell carries it, the others name their nodes.
    let mut cells = vec![first(place.nodes.first())];
    cells.extend(place.nodes.iter().skip(1).map(bare));
    cells
}
