//! Which host, and exactly which CPUs, nodes and pages of it. Dedicated CPUs are never shared, reserved and offline
//! ones never used, memory and pages never promised twice. What is placed stays while it still fits.
//!
//! This is the first form of the search: one host at a time, one workload at a time, dedicated ones first. It
//! places correctly; that a refusal was unavoidable it can say only for one workload on what the others left.

mod ask;
mod cost;
mod cpus;
mod refusal;
mod room;

use std::collections::BTreeMap;

use infra_api::{Address, CpuPolicy, Placement};

use crate::choose::{Candidate, Choice};
use crate::declared::Workload;
use crate::inventory::Inventory;

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

/// Places every workload that has a candidate left. `prior` is where they run now.
#[must_use]
pub fn place(
    workloads: &[(&Workload, &Choice)],
    inventory: &Inventory,
    prior: &BTreeMap<Address, Placement>,
) -> Placed {
    let mut rooms: BTreeMap<_, _> = inventory
        .hosts
        .iter()
        .map(|(name, host)| (name.clone(), Room::new(host, prior)))
        .collect();
    let mut placed = Placed::default();
    for (workload, choice) in in_order(workloads, prior) {
        let before = prior.get(&workload.address);
        let mut refusals = Vec::new();
        let place = candidates(choice, before)
            .into_iter()
            .find_map(|candidate| {
                let ask = Ask::new(workload, candidate.runtime);
                let room = rooms
                    .get_mut(&candidate.host)
                    .expect("candidates are made of the inventory's hosts");
                room.fit(&ask, before)
                    .map_err(|r| refusals.push(r.of(candidate)))
                    .ok()
            });
        let address = workload.address.clone();
        if !refusals.is_empty() {
            placed.passed_over.insert(address.clone(), refusals.clone());
        }
        match place {
            Some(placement) => {
                placed.placements.insert(address, placement);
            }
            None => placed.refused.push(Refused::new(address, refusals, choice)),
        }
    }
    share_the_rest(&mut placed, &rooms, workloads);
    placed
}

/// Hardest first: CPUs named by the person, then what is placed already, then dedicated ones by size, then the rest;
/// within each by address.
fn in_order<'a>(
    workloads: &[(&'a Workload, &'a Choice)],
    prior: &BTreeMap<Address, Placement>,
) -> Vec<(&'a Workload, &'a Choice)> {
    let mut ordered: Vec<_> = workloads
        .iter()
        .filter(|(_, c)| !c.possible.is_empty())
        .copied()
        .collect();
    ordered.sort_by_key(|(w, _)| {
        let dedicated = w.cpus.policy == CpuPolicy::Dedicated;
        let class = match (dedicated, &w.cpus.set, prior.contains_key(&w.address)) {
            (true, Some(_), _) => 0,
            (true, None, true) => 1,
            (true, None, false) => 2,
            (false, _, true) => 3,
            (false, _, false) => 4,
        };
        (class, std::cmp::Reverse(w.cpus.count), w.address.clone())
    });
    ordered
}

/// The candidate it runs as now comes first: a better one is taken only when asked for.
fn candidates<'a>(choice: &'a Choice, before: Option<&Placement>) -> Vec<&'a Candidate> {
    let mut candidates: Vec<&Candidate> = choice.possible.iter().collect();
    candidates.sort_by_key(|c| before.is_none_or(|b| (b.runtime, &b.host) != (c.runtime, &c.host)));
    candidates
}

/// Shared workloads get what no dedicated one took; only known when all are placed.
fn share_the_rest(
    placed: &mut Placed,
    rooms: &BTreeMap<infra_api::HostName, Room<'_>>,
    workloads: &[(&Workload, &Choice)],
) {
    for (workload, choice) in workloads {
        let Some(placement) = placed.placements.get_mut(&workload.address) else {
            continue;
        };
        let room = &rooms[&placement.host];
        if let Err(refusal) = room.share(placement, workload) {
            let candidate = Candidate {
                runtime: placement.runtime,
                host: placement.host.clone(),
            };
            placed.placements.remove(&workload.address);
            placed.refused.push(Refused::new(
                workload.address.clone(),
                vec![refusal.of(&candidate)],
                choice,
            ));
        }
    }
    placed.refused.sort_by(|a, b| a.workload.cmp(&b.workload));
}
