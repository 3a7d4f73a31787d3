//! Which host, and exactly which CPUs, nodes and pages of it. Dedicated CPUs are never shared, reserved and offline
//! ones never used, memory and pages never promised twice. What is placed stays while it still fits.
//!
//! This is the first form of the search: one workload at a time, hardest first, each in its best place. It places
//! correctly, and for one workload on what the others left a refusal was unavoidable. Its limit: of several asked at
//! once one may be refused though another order would have placed them all (`tests/laws` counts 8 of 1379 random
//! worlds of one to three workloads on two small hosts).

mod ask;
mod cost;
mod cpus;
mod memory;
mod refusal;
mod room;

use std::collections::BTreeMap;

use infra_api::{Address, CpuPolicy, HostName, Placement};

use crate::choose::{Candidate, Choice};
use crate::declared::Workload;
use crate::inventory::{HostInventory, Inventory};

pub use ask::Ask;
pub use cost::Cost;
pub use refusal::{Constraint, HostRefusal, Refused};

use room::Room;

/// What placing came to.
#[derive(Debug, Default)]
pub struct Placed {
    pub placements: BTreeMap<Address, Placement>,
    /// Candidates that were preferred and did not fit, by workload.
    pub passed_over: BTreeMap<Address, Vec<HostRefusal>>,
    pub refused: Vec<Refused>,
}

/// What a workload has that is left as it is, and where.
pub type Held = (Ask, Placement);

/// Places every workload that has a candidate left. `prior` is where they run now. Everything that can stays where it
/// is; only where that leaves somebody without a place who names CPUs of his own, these go first. What is `held` is
/// nobody's to get.
#[must_use]
pub fn place(
    workloads: &[(&Workload, &Choice)],
    inventory: &Inventory,
    prior: &BTreeMap<Address, Placement>,
    held: &[Held],
) -> Placed {
    let ordered = in_order(workloads, prior);
    let placing = || Placing::new(inventory, prior, held);
    let staying = placing().all(&ordered, |_| false);
    if staying.refused.is_empty() {
        return staying;
    }
    let yielding = placing().all(&ordered, |w| w.cpus.set.is_some());
    if yielding.refused.len() < staying.refused.len() {
        yielding
    } else {
        staying
    }
}

type Asked<'a> = (&'a Workload, &'a Choice);

/// One go at placing all.
struct Placing<'a> {
    rooms: BTreeMap<HostName, Room<'a>>,
    prior: &'a BTreeMap<Address, Placement>,
    placed: Placed,
}

impl<'a> Placing<'a> {
    fn new(
        inventory: &'a Inventory,
        prior: &'a BTreeMap<Address, Placement>,
        held: &[Held],
    ) -> Self {
        let room = |(name, host): (&HostName, &'a HostInventory)| (name.clone(), Room::new(host));
        let mut rooms: BTreeMap<HostName, Room<'a>> = inventory.hosts.iter().map(room).collect();
        for (ask, placement) in held {
            if let Some(room) = rooms.get_mut(&placement.host) {
                room.hold(ask, &placement.nodes());
            }
        }
        Self {
            rooms,
            prior,
            placed: Placed::default(),
        }
    }

    /// `first` go first, then all stay that can, then the others find a place.
    fn all(mut self, ordered: &[Asked<'_>], first: fn(&Workload) -> bool) -> Placed {
        let (early, late): (Vec<Asked<'_>>, Vec<Asked<'_>>) =
            ordered.iter().copied().partition(|(w, _)| first(w));
        self.some(&early);
        self.some(&late);
        self.share(ordered);
        self.placed
            .refused
            .sort_by(|a, b| a.workload.cmp(&b.workload));
        self.placed
    }

    fn some(&mut self, workloads: &[Asked<'_>]) {
        let moving: Vec<Asked<'_>> = workloads
            .iter()
            .copied()
            .filter(|asked| !self.stays(*asked))
            .collect();
        for asked in moving {
            self.settle(asked);
        }
    }

    /// Leaves a workload where it is, if it may stay there.
    fn stays(&mut self, (workload, choice): Asked<'_>) -> bool {
        let Some(before) = self.prior.get(&workload.address) else {
            return false;
        };
        let same = |c: &Candidate| (c.runtime, &c.host) == (before.runtime, &before.host);
        let room = self.rooms.get_mut(&before.host);
        let placement = room
            .filter(|_| choice.possible.iter().any(same))
            .and_then(|room| room.keep(&Ask::new(workload, before.runtime), before));
        let stays = placement.is_some();
        let placement = placement.map(|p| (workload.address.clone(), p));
        self.placed.placements.extend(placement);
        stays
    }

    /// Finds a place for a workload: the first candidate that has one.
    fn settle(&mut self, (workload, choice): Asked<'_>) {
        let before = self.prior.get(&workload.address);
        let mut refusals = Vec::new();
        let place = candidates(choice, before)
            .into_iter()
            .find_map(|candidate| {
                let ask = Ask::new(workload, candidate.runtime);
                let room = self
                    .rooms
                    .get_mut(&candidate.host)
                    .expect("candidates are made of the inventory's hosts");
                room.fit(&ask, before)
                    .map_err(|r| refusals.push(r.of(candidate)))
                    .ok()
            });
        let address = workload.address.clone();
        match place {
            Some(placement) => drop(self.placed.placements.insert(address.clone(), placement)),
            None => {
                let refused = Refused::new(address.clone(), refusals.clone(), choice);
                self.placed.refused.push(refused);
            }
        }
        if !refusals.is_empty() {
            self.placed.passed_over.insert(address, refusals);
        }
    }

    /// Shared workloads get what no dedicated one took; only known when all are placed.
    fn share(&mut self, workloads: &[Asked<'_>]) {
        for (workload, _) in workloads {
            if let Some(placement) = self.placed.placements.get_mut(&workload.address) {
                let named = workload.cpus.set.as_ref().map(|s| &s.value);
                self.rooms[&placement.host].share(placement, named);
            }
        }
    }
}

/// Hardest first: who is bound by name, to CPUs, a host or nodes, has the least choice; then dedicated ones, those
/// that ran before new ones, large before small; by address in the end.
fn in_order<'a>(workloads: &[Asked<'a>], prior: &BTreeMap<Address, Placement>) -> Vec<Asked<'a>> {
    let mut ordered: Vec<_> = workloads
        .iter()
        .filter(|(_, c)| !c.possible.is_empty())
        .copied()
        .collect();
    ordered.sort_by_key(|(w, _)| {
        let choice = (
            w.cpus.set.is_none(),
            w.host.is_none(),
            w.memory.nodes.is_none(),
        );
        let shared = w.cpus.policy == CpuPolicy::Shared;
        let new = !prior.contains_key(&w.address);
        let size = std::cmp::Reverse(w.cpus.count);
        (choice, shared, new, size, w.address.clone())
    });
    ordered
}

/// The candidate it runs as now comes first: a better one is taken only when asked for.
fn candidates<'a>(choice: &'a Choice, before: Option<&Placement>) -> Vec<&'a Candidate> {
    let mut candidates: Vec<&Candidate> = choice.possible.iter().collect();
    candidates.sort_by_key(|c| before.is_none_or(|b| (b.runtime, &b.host) != (c.runtime, &c.host)));
    candidates
}
