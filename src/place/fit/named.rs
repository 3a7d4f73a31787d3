//! CPUs that the person named: checked and obeyed.

use infra_api::{IdSet, L3, Threads};

use crate::ask::Policy;
use crate::cost::Cost;
use crate::fit::search::Search;
use crate::fit::{Fit, Place, Placed, Shared};
use crate::memory::{self, Demand, positions};
use crate::refusal::Constraint;

impl Search<'_> {
    /// A place on exactly these CPUs; memory on their node where they have one and it has the memory.
    pub(super) fn named(&self, set: &IdSet) -> Result<Fit, Constraint> {
        let barred = |why: String| Constraint::NamedCpus {
            need: set.clone(),
            have: self.room.free(self.topology),
            why,
        };
        let mut place = match self.ask.cpus.policy {
            Policy::Shared => self.shared_set(set).map_err(barred)?,
            Policy::Dedicated(threads) => self.own_set(set, threads).map_err(barred)?,
        };
        let cost = self.back(set, &mut place)?;
        if !self.leaves_enough(&place) {
            return Err(barred(format!(
                "CPU {set} is the last for the workloads that share"
            )));
        }
        Ok(Fit {
            cost,
            proven: true,
            place,
        })
    }

    fn shared_set(&self, set: &IdSet) -> Result<Place, String> {
        self.free_set(set)?;
        let shared = Shared {
            count: self.ask.cpus.count,
            named: set.clone(),
            on_nodes: false,
        };
        let cell = Placed {
            count: self.ask.cpus.count,
            ..Placed::default()
        };
        Ok(Place {
            cells: vec![cell],
            shared: Some(shared),
            ..Place::default()
        })
    }

    fn own_set(&self, set: &IdSet, threads: Threads) -> Result<Place, String> {
        self.free_set(set)?;
        let shared = set & &self.room.cpus(self.topology, |core| core.named);
        if !shared.is_empty() {
            return Err(format!(
                "CPU {shared} is shared by another workload that names it"
            ));
        }
        let taken = self
            .taken_with(set, threads)
            .ok_or_else(|| format!("CPU {set} {}", unfit(threads)))?;
        let taken = &taken | &self.domain_of(set)?;
        let count = u32::try_from(set.len()).unwrap_or(u32::MAX);
        let cell = Placed {
            count,
            cpus: set.clone(),
            ..Placed::default()
        };
        Ok(Place {
            cells: vec![cell],
            taken,
            ..Place::default()
        })
    }

    fn free_set(&self, set: &IdSet) -> Result<(), String> {
        let taken = set - &self.room.free(self.topology);
        if taken.is_empty() {
            Ok(())
        } else {
            Err(format!("CPU {taken} belongs to another dedicated workload"))
        }
    }

    /// The domain of L3 that it has to itself; an error where it is to be in one, and is not.
    fn domain_of(&self, set: &IdSet) -> Result<IdSet, String> {
        let all = || self.topology.cores.iter().zip(&self.room.cores);
        if !self.ask.cpus.l3.undivided() {
            return Ok(IdSet::new());
        }
        let cores = set.iter().filter_map(|cpu| self.topology.cpu(cpu));
        let mut l3s: Vec<_> = cores
            .map(|(core, _)| self.topology.cores[core].l3)
            .collect();
        l3s.dedup();
        let [Some(l3)] = l3s[..] else {
            return Err(format!(
                "CPU {set} is not of one L3 domain, as `l3` requires"
            ));
        };
        if self.ask.cpus.l3 != L3::Alone {
            return Ok(IdSet::new());
        }
        let domain = || all().filter(move |(core, _)| core.l3 == Some(l3));
        if domain().any(|(core, room)| room.open() != core.all()) {
            return Err(format!(
                "CPU {set} is of an L3 domain that others have CPUs of"
            ));
        }
        Ok(domain()
            .flat_map(|(core, _)| core.ids(core.all()))
            .collect())
    }

    /// These CPUs and what a policy takes with them; nothing where they do not satisfy it.
    pub(crate) fn taken_with(&self, set: &IdSet, threads: Threads) -> Option<IdSet> {
        let mut taken = set.clone();
        for cpu in set {
            let (position, _) = self.topology.cpu(cpu)?;
            let core = &self.topology.cores[position];
            let all: IdSet = core.threads.iter().copied().collect();
            let own = (&all & set).len();
            let whole = self.room.cores[position].open() == core.all();
            match threads {
                Threads::Any | Threads::Prefer => {}
                Threads::Require if own == all.len() => {}
                Threads::Isolate if own == 1 && whole => taken.extend(&all),
                Threads::Require | Threads::Isolate => return None,
            }
        }
        Some(taken)
    }

    /// Adds memory, pages and devices.
    fn back(&self, set: &IdSet, place: &mut Place) -> Result<Cost, Constraint> {
        let nodes = self.nodes_of(set);
        let eligible = self.eligible();
        let near = match (nodes.as_slice(), self.shared()) {
            ([node], false) if eligible.contains(node) => Some(*node),
            _ => None,
        };
        let wishes = self.wishes(&[]);
        let local = |(wish, size): (usize, &u64)| Some((0, wish, self.bound(&[near?], *size)?));
        let apart =
            |(wish, size): (usize, &u64)| Some((1, wish, self.elsewhere(&eligible, *size)?));
        let mut ranked = wishes.iter().enumerate();
        let found = ranked
            .clone()
            .find_map(local)
            .or_else(|| ranked.find_map(apart));
        let (remote, wish, (memory, pages, bound)) = found.ok_or_else(|| self.why())?;
        place.devices = self.devices(&nodes).ok_or_else(|| self.why())?;
        place.memory = memory;
        place.pages = pages;
        let size = place
            .pages
            .first()
            .map(|(_, size, _)| self.topology.page_sizes[*size]);
        let first = &mut place.cells[0];
        (first.node, first.bytes, first.page_size) =
            (bound.first().copied(), self.ask.memory.bytes, size);
        place.cells.extend(bound.iter().skip(1).map(|node| Placed {
            node: Some(*node),
            ..Placed::default()
        }));
        Ok(Cost {
            remote_memory: if self.shared() { 0 } else { remote },
            page_wish: u32::try_from(wish).unwrap_or(u32::MAX),
            extra_nodes: u32::try_from(nodes.len().saturating_sub(1)).unwrap_or(u32::MAX),
            remote_devices: place.devices.remote + self.served_afar(&nodes),
            ..Cost::NONE
        })
    }

    /// Memory bound to these nodes together, huge pages to the first.
    #[expect(clippy::type_complexity, reason = "what a place is made of")]
    fn bound(
        &self,
        nodes: &[usize],
        size: u64,
    ) -> Option<(Vec<Demand>, Vec<(usize, usize, u64)>, Vec<usize>)> {
        let (own, beside) = (self.ask.memory.bytes, self.ask.memory.overhead_bytes);
        let pages = match nodes {
            [node, ..] => self.backing(if size > 0 { own } else { 0 }, size, *node)?,
            [] => None,
        };
        let ordinary = if pages.is_some() {
            beside
        } else {
            own.saturating_add(beside)
        };
        let memory = vec![Demand {
            nodes: positions(nodes.iter().copied()),
            bytes: ordinary,
        }];
        memory::check(self.room, &memory).ok()?;
        let pages = pages.map(|(size, count)| (nodes[0], size, count));
        Some((memory, pages.into_iter().collect(), nodes.to_vec()))
    }

    /// Memory wherever it may be: huge pages on one node, the tightest.
    #[expect(clippy::type_complexity, reason = "what a place is made of")]
    pub(super) fn elsewhere(
        &self,
        eligible: &[usize],
        size: u64,
    ) -> Option<(Vec<Demand>, Vec<(usize, usize, u64)>, Vec<usize>)> {
        if size == 0 {
            let named = self.ask.memory.nodes.is_some();
            return self.bound(if named { eligible } else { &[] }, size);
        }
        let left = |pages: &[(usize, usize, u64)]| {
            pages
                .iter()
                .map(|(n, size, _)| self.room.nodes[*n].pages[*size])
                .sum::<u64>()
        };
        let ways = eligible
            .iter()
            .filter_map(|node| self.bound(&[*node], size));
        ways.min_by_key(|(_, pages, nodes)| (left(pages), nodes.first().copied()))
    }
}

/// For messages: what is wrong with CPUs that were named and are free, and yet do not satisfy a policy.
fn unfit(threads: Threads) -> &'static str {
    match threads {
        Threads::Any | Threads::Prefer => "cannot be had",
        Threads::Require => "is not made of whole cores, as `threads` requires",
        Threads::Isolate => {
            "is not one thread of each core with the others idle, as `threads` requires"
        }
    }
}
