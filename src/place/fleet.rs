//! Many workloads on many hosts. What is placed stays; the others are placed class by class of equal workloads,
//! hardest first, each on the host where it is cheapest; then those who found none get places that others can leave.

mod affinity;
mod capacity;
mod classes;
mod company;
mod eject;
mod exact;
mod explain;
mod greedy;
mod held;
mod queues;
mod reasons;
mod rebalance;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use infra_api::{Address, HostName, IdSet};

use crate::ask::Ask;
use crate::fit::Fit;
use crate::refusal::Constraint;
use crate::room::Room;
use crate::stand::Standing;
use crate::topology::Topology;

pub use affinity::{Rule, Scope, Wants};
pub use capacity::{FleetCapacity, fleet_capacity};
pub use explain::{Explained, Nearest, Rival, Verdict, Way, explain, nearest};
pub use held::{Changed, Fleet};
pub use rebalance::{Gain, Improvement, Move, rebalance};

/// A host of a fleet.
#[derive(Clone, Debug)]
pub struct Host {
    pub name: HostName,
    pub topology: Arc<Topology>,
    /// What workloads may have while none is placed.
    pub room: Room,
    /// Which domain of each scope it is in, by the number of the scope; unknown in none. The first scope is the host
    /// itself and need not be given.
    pub domains: Vec<Option<u32>>,
    /// Nothing new comes here, and what is here goes where it can.
    pub drained: bool,
}

/// A workload to be placed.
#[derive(Clone, Debug)]
pub struct Job {
    pub name: Address,
    /// As what it could run, the preferred first. Equal workloads may share them.
    pub forms: Arc<[Form]>,
    /// Higher ones are placed first.
    pub priority: i32,
    pub affinity: Arc<Affinity>,
    /// Where it stands, and as which of its forms.
    pub stands: Option<Stood>,
}

/// What a workload is to others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Affinity {
    /// Groups it is in, ascending.
    pub groups: Vec<u32>,
    pub rules: Vec<Rule>,
}

/// One way to run it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Form {
    pub ask: Ask,
    /// Positions of the hosts that come into question.
    pub hosts: Arc<IdSet>,
}

/// A place it has.
#[derive(Clone, Debug)]
pub struct Stood {
    pub host: usize,
    pub form: usize,
    pub standing: Arc<Standing>,
    /// It may become nothing else and go nowhere else: it has data there.
    pub anchored: bool,
}

/// A place it is given.
#[derive(Clone, Debug)]
pub struct Assigned {
    pub host: usize,
    pub form: usize,
    pub fit: Arc<Fit>,
    /// It is where it was.
    pub stays: bool,
}

/// What placing came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// By job.
    pub assigned: Vec<Option<Assigned>>,
    /// Jobs without a place, and why, equal ones together.
    pub refused: Vec<Refusal>,
    /// Of jobs that were placed anew, what refuses another one like them now, in the order of the forms; equal ones
    /// share it.
    pub passed_over: BTreeMap<usize, Arc<Vec<Reason>>>,
    /// Of jobs that stood and went elsewhere so that another has a place, that other.
    pub made_room: BTreeMap<usize, usize>,
    /// What is left of each host.
    pub rooms: Vec<Arc<Room>>,
    /// All that could be tried was tried; else the search for better ended after so many steps.
    pub complete: bool,
}

/// Jobs that were refused for the same reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Positions.
    pub jobs: Vec<usize>,
    pub why: Arc<Vec<Reason>>,
}

/// Hosts that refuse for one reason with the same numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    pub form: usize,
    /// Positions, ascending.
    pub hosts: IdSet,
    pub constraint: Constraint,
}

/// How hard to try.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Places tried for others so that one who found none gets one, in all.
    pub steps: u32,
    /// Whether what stands may be moved for it.
    pub moves: bool,
}

impl Default for Effort {
    fn default() -> Self {
        Self {
            steps: 200_000,
            moves: true,
        }
    }
}

/// Places every job that can be placed.
#[must_use]
pub fn place(hosts: &[Host], jobs: &[Job], effort: Effort) -> Outcome {
    let mut placing = greedy::Placing::new(hosts, Cow::Borrowed(jobs));
    placing.stay();
    open(&mut placing, effort);
    placing.finish()
}

/// Places those that have no place.
fn open(placing: &mut greedy::Placing<'_>, effort: Effort) {
    placing.place_all();
    placing.settle();
    if placing.has_refused() {
        eject::improve(placing, effort);
        placing.settle();
        if placing.has_refused() {
            placing.complete = exact::solve(placing, effort);
            placing.settle();
        }
    }
}
