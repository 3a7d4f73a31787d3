//! What the question for facts saw, for the list that is asked for next: both want every pool, network and domain, and a
//! plan asks for both.
//!
//! It is right because it is handed on once and only to the list by which a plan is made: a plan is of one moment anyway,
//! and what has changed since is found before the first step and again before its own, by reads that never look here.

use std::sync::{Mutex, PoisonError};
use std::thread::scope;

use infra_api::{Failure, Observed, Project};

use crate::link::Link;
use crate::network::Ports;
use crate::side::joined;
use crate::wire::AT_A_TIME;
use crate::{domain, network, pool};

/// All pools, networks and domains of a daemon, each as it was at one moment; what volumes hold is only for who lists.
pub(crate) struct Sight {
    pub(crate) pools: Vec<pool::Seen>,
    pub(crate) networks: network::All,
    pub(crate) domains: Vec<(String, domain::Seen)>,
    ports: Option<Ports>,
}

impl Sight {
    /// By one call less at a time than a connection takes: another may be under way beside it.
    pub(crate) fn look(link: &Link) -> Result<Self, Failure> {
        scope(|scope| {
            let networks = scope.spawn(|| network::look(link));
            let (pools, places) = pool::look(link)?;
            let domains = domain::look(link, &places, AT_A_TIME - 2, None)?;
            let (networks, ports) = joined(networks)?;
            Ok(Self {
                pools,
                networks,
                domains,
                ports,
            })
        })
    }

    /// What carries this project's mark: its kind, its name, and what it is.
    pub(crate) fn of(
        &self,
        project: &Project,
    ) -> Result<Vec<(&'static str, String, Observed)>, Failure> {
        let pools = self.pools.iter().map(|seen| {
            let name = seen.found.pool.name.clone();
            Ok(("pool", name, seen.observe(project)?))
        });
        let networks = self
            .networks
            .iter()
            .map(|(name, seen)| Ok(("network", name.clone(), seen.observe(project)?)));
        let domains = self.domains.iter().map(|(name, seen)| {
            let observed = seen.observe(self.ports.as_ref(), project)?;
            Ok(("domain", name.clone(), observed))
        });
        let ours = |one: &Result<(_, _, Observed), Failure>| {
            !matches!(one, Ok((.., Observed::Foreign { .. })))
        };
        pools.chain(networks).chain(domains).filter(ours).collect()
    }
}

#[derive(Default)]
pub(crate) struct Seen(Mutex<Option<Sight>>);

impl Seen {
    /// In the place of what was kept before.
    pub(crate) fn keep(&self, sight: Sight) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(sight);
    }

    /// Afterwards nothing is kept.
    pub(crate) fn take(&self) -> Option<Sight> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
