//! Who goes elsewhere, and why.

use std::collections::BTreeMap;

use infra_api::{Address, HostName};
use infra_place::Gain;

use super::Arranged;

/// Moves that gain something together, and that no one of them gains alone.
#[derive(Clone, Debug)]
pub struct Improvement {
    pub moves: Vec<Move>,
    /// Criteria that differ, the weightiest first: that one is better.
    pub gains: Vec<Gain>,
}

/// Another place for a workload: on another host, or with other CPUs or nodes of the same.
#[derive(Clone, Debug)]
pub struct Move {
    pub workload: Address,
    pub from: HostName,
    pub to: HostName,
}

impl Arranged<'_> {
    pub(super) fn made_room(&self) -> BTreeMap<Address, Address> {
        let made_room = self.outcome.made_room.iter();
        made_room
            .map(|(job, other)| (self.address(*job), self.address(*other)))
            .collect()
    }

    pub(super) fn improvements(&self) -> Vec<Improvement> {
        let host = |position: usize| self.fleet.hosts[position].name.clone();
        let told = |improvement: &infra_place::Improvement| Improvement {
            moves: (improvement.moves.iter())
                .map(|one| Move {
                    workload: self.address(one.job),
                    from: host(one.from),
                    to: host(one.to),
                })
                .collect(),
            gains: improvement.gains.clone(),
        };
        self.improvements.iter().map(told).collect()
    }

    fn address(&self, job: usize) -> Address {
        self.asked[job].0.address.clone()
    }
}
